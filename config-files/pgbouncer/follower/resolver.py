"""A name server for PgBouncer, on the port in its `resolv_conf`.

PgBouncer forgets an address after `dns_max_ttl`, but its library then asks its own cache, which keeps an answer for the TTL that the name server
returned (c-ares since 1.31; Docker's TTL is ten minutes). A restarted member may have another address, and its former address may belong to
another member: clients that write were sent to a replica until the ten minutes were over. Here every query is resolved again by the system's
resolver, and the answer has a TTL of 0. While no name server answers, the previous answer is used: whoever has that address by now must still
prove with its certificate that it is the right member.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading

from ports import PORTS

PORT = PORTS["poolResolver"]
FAMILIES = {1: socket.AF_INET, 28: socket.AF_INET6}  # A and AAAA
HEADER = struct.Struct("!HHHHHH")
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
RESPONSE = 0x8180  # An answer, with recursion desired and available.

# How long to wait for the name server if there is a previous answer. c-ares retries after a quarter of a second if the server has been quick so
# far, and soon gives up (https://github.com/c-ares/c-ares/blob/main/src/lib/ares_metrics.c). A lookup without an answer takes seconds.
PATIENCE_SECONDS = 0.2

Addresses = list[tuple[int, bytes]]  # Family, and the address in network byte order.
known: dict[str, Addresses] = {}  # The name server's last answer for a name; empty: there is no such name.


def has_no_address(error: Exception) -> bool:
    """Whether a failed lookup is an answer: there is no such name, or it has no address."""
    return isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)


def look_up(name: str) -> None:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        known[name] = [(family, socket.inet_pton(family, address[0])) for family, _, _, _, address in found]
    except (OSError, ValueError) as error:
        if has_no_address(error):
            known[name] = []


def addresses(name: str) -> Addresses | None:
    """None: no name server has answered yet."""
    lookup = threading.Thread(target=look_up, args=(name,), daemon=True)
    lookup.start()
    lookup.join(PATIENCE_SECONDS if name in known else None)
    return known.get(name)


def connect(name: str, port: int, timeout: float) -> socket.socket:
    """Like `socket.create_connection`, but with the cached addresses. So the members' names are known before PgBouncer asks for them."""
    found = addresses(name)
    if not found:
        raise socket.gaierror(socket.EAI_AGAIN if found is None else socket.EAI_NONAME, f"no address of {name} is known")
    for family, address in found:
        try:
            return socket.create_connection((socket.inet_ntop(family, address), port), timeout)
        except OSError as error:
            failure = error
    raise failure


def question_of(message: bytes) -> tuple[str, int, bytes]:
    """The name, the type and the bytes of the question."""
    labels, at = [], HEADER.size
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode("ascii"))
        at += 1 + length
    end = at + 5
    (kind,) = struct.unpack_from("!H", message, at + 1)
    return ".".join(labels), kind, message[HEADER.size : end]


def answer(message: bytes) -> bytes:
    """Raises ValueError, IndexError or struct.error for an invalid query."""
    identity, _, questions, *_ = HEADER.unpack_from(message)
    if questions != 1:
        raise ValueError("not one question")
    name, kind, question = question_of(message)
    everything = addresses(name) if kind in FAMILIES else []
    # A name without addresses of this family may have some of the other.
    status = SERVER_FAILURE if everything is None else NO_ERROR if everything or kind not in FAMILIES else NO_SUCH_NAME
    found = [address for family, address in everything or [] if family == FAMILIES.get(kind)]
    # The name of each record points to that of the question, which follows the header.
    records = b"".join(struct.pack("!HHHIH", 0xC000 | HEADER.size, kind, 1, 0, len(address)) + address for address in found)
    return HEADER.pack(identity, RESPONSE | status, 1, len(found), 0, 0) + question + records


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        message, listener = self.request
        try:
            listener.sendto(answer(message), self.client_address)
        except (ValueError, IndexError, struct.error):
            pass


class Server(socketserver.ThreadingUDPServer):
    daemon_threads = True


def serve(port: int = PORT) -> Server:
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="resolver", daemon=True).start()
    return server
