"""Reports to the entries whether this pool accepts new sessions: the answer to HAProxy's `agent-check`.

Each connection is answered with one word and closed: `ready`, or `drain` once the pool is about to stop. A draining server gets no new sessions
and keeps existing ones: https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check. `ready` must be repeated, because HAProxy keeps the
last state for the next server of this name. The last answer to each entry is recorded, for `drain.py` to wait for.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from pathlib import Path

from console import SOCKET_DIRECTORY

# It exists once the pool is about to stop. It is a file, so that a restarted follower continues with it.
DRAINING = Path(SOCKET_DIRECTORY) / "draining"
# A file per entry address: its content is the last answer, its age the time of it.
TOLD = Path(SOCKET_DIRECTORY) / "told"
READY, DRAIN = "ready", "drain"
# An entry that has not asked for so long is gone: ten times the interval between two checks.
ASKING_SECONDS = 5.0


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        word = DRAIN if DRAINING.exists() else READY
        try:
            self.request.sendall(f"{word}\n".encode())
            (TOLD / self.client_address[0]).write_text(word)
        except OSError:
            pass  # An entry that disconnected asks again.


class Server(socketserver.TCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True

    def server_bind(self) -> None:
        # Accept IPv4, too.
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve(port: int) -> Server:
    TOLD.mkdir(exist_ok=True)
    server = Server(("::", port), Handler)
    threading.Thread(target=server.serve_forever, name="agent", daemon=True).start()
    return server


def everybody_knows() -> bool:
    """Whether all entries that still ask know that the pool drains."""
    now = time.time()
    return all(now - entry.stat().st_mtime > ASKING_SECONDS or entry.read_text() == DRAIN for entry in TOLD.glob("*"))
