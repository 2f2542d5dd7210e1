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

PORT = 6053
FAMILIES = {1: socket.AF_INET, 28: socket.AF_INET6}  # A and AAAA
HEADER = struct.Struct("!HHHHHH")
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
RESPONSE = 0x8180  # An answer, with recursion asked for and available.

# For the name server, where there is an answer of before. PgBouncer's library asks again after a quarter of a second whoever has been quick so
# far, and soon gives up (https://github.com/c-ares/c-ares/blob/main/src/lib/ares_metrics.c). A lookup that nobody answers takes seconds.
PATIENCE_SECONDS = 0.2

# What came of the last lookup of a name that was answered, by name and family.
known: dict[tuple[str, int], tuple[int, list[bytes]]] = {}


def has_no_address(error: Exception) -> bool:
    """Whether a failed lookup is an answer: there is no such name, or it has no address of this kind."""
    return isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_NODATA)


def look_up(name: str, family: int) -> None:
    try:
        found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
        known[name, family] = NO_ERROR, [socket.inet_pton(family, entry[4][0]) for entry in found]
    except (OSError, UnicodeError) as error:
        if has_no_address(error):
            # That a name has none of this family says nothing about the other.
            known[name, family] = (NO_SUCH_NAME if family == socket.AF_INET else NO_ERROR), []


def addresses(name: str, family: int) -> tuple[int, list[bytes]]:
    """What came of it, and the addresses in the form of the network."""
    lookup = threading.Thread(target=look_up, args=(name, family), daemon=True)
    lookup.start()
    lookup.join(PATIENCE_SECONDS if (name, family) in known else None)
    return known.get((name, family), (SERVER_FAILURE, []))


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
    status, found = addresses(name, FAMILIES[kind]) if kind in FAMILIES else (NO_ERROR, [])
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
