"""Answers PgBouncer's questions for addresses, on the port that its `resolv_conf` names.

PgBouncer forgets an address after `dns_max_ttl`, but its library asks a cache of its own then, which keeps an answer for as long as the name
server says (c-ares since 1.31; Docker's says ten minutes). A member that was started again may have another address, and its former one may be
another member's: clients that write were sent to a replica until the ten minutes were over. Here every answer is looked up anew by the
system's resolver, and is one that nobody keeps (a lifetime of 0). While no name server answers, it is the answer of before: whoever has that
address by now must still prove, with its certificate, to be the one that is sought.
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
RESPONSE = 0x8180  # An answer, with recursion asked for and available.

# For the name server, where there is an answer of before. PgBouncer's library asks again after a quarter of a second whoever has been quick so
# far, and soon gives up (https://github.com/c-ares/c-ares/blob/main/src/lib/ares_metrics.c). A lookup that nobody answers takes seconds.
PATIENCE_SECONDS = 0.2

Addresses = list[tuple[int, bytes]]  # Family, and the address in the form of the network.
known: dict[str, Addresses] = {}  # What the name server said last of a name: none means that there is no such name.


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
    """As `socket.create_connection`, at the addresses that are known. So the pool's members are known before PgBouncer asks for them."""
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
    """Raises ValueError, IndexError or struct.error for what is no question."""
    identity, _, questions, *_ = HEADER.unpack_from(message)
    if questions != 1:
        raise ValueError("not one question")
    name, kind, question = question_of(message)
    everything = addresses(name) if kind in FAMILIES else []
    # A name that has none of this family may have one of the other.
    status = SERVER_FAILURE if everything is None else NO_ERROR if everything or kind not in FAMILIES else NO_SUCH_NAME
    found = [address for family, address in everything or [] if family == FAMILIES.get(kind)]
    # The name of each record is that of the question, which follows the header.
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
