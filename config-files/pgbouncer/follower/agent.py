"""Tells the entries whether this pool takes new sessions: what HAProxy's `agent-check` asks.

Each connection is answered with a word and closed: `ready`, or `drain` once the pool is to stop. A server that drains gets no new sessions
and keeps those that it has: https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check. `ready` must be said again and again, since
HAProxy keeps the last word for whoever has this name next. What each entry was told last is noted, for `drain.py` to wait for.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from pathlib import Path

from console import SOCKET_DIRECTORY

# It exists once the pool is to stop. A file, so that a follower that is started again goes on with it.
DRAINING = Path(SOCKET_DIRECTORY) / "draining"
# A file for each address that asks: what it was told last, and by its age when.
TOLD = Path(SOCKET_DIRECTORY) / "told"
READY, DRAIN = "ready", "drain"
# Who has not asked for so long is gone: ten times as long as an entry waits between two questions.
ASKING_SECONDS = 5.0


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        word = DRAIN if DRAINING.exists() else READY
        try:
            self.request.sendall(f"{word}\n".encode())
            (TOLD / self.client_address[0]).write_text(word)
        except OSError:
            pass  # Who went away asks again.


class Server(socketserver.TCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True

    def server_bind(self) -> None:
        # IPv4, too.
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def serve(port: int) -> Server:
    TOLD.mkdir(exist_ok=True)
    server = Server(("::", port), Handler)
    threading.Thread(target=server.serve_forever, name="agent", daemon=True).start()
    return server


def everybody_knows() -> bool:
    """Whether everybody who still asks has been told that the pool drains."""
    now = time.time()
    return all(now - entry.stat().st_mtime > ASKING_SECONDS or entry.read_text() == DRAIN for entry in TOLD.glob("*"))
