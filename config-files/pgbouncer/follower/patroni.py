"""Polls one member's Patroni for its role, over verified TLS."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import resolver
from decision import Answer

TIMEOUT = 1.0
# Patroni uses a connection per request (HTTP/1.0), so each is a TLS handshake and a query. While all is well, the session with the leader
# reports trouble at once, and this poll only has to notice the rest.
CALM_INTERVAL = 1.0
HURRIED_INTERVAL = 0.1
# Minimum seconds between two questions about the leader: for each, Patroni reads all keys of the cluster in the DCS.
ELSEWHERE_INTERVAL = 1.0


class Member(threading.Thread):
    """`on_answer` is called in this thread after each answer."""

    def __init__(self, address: str, port: int, lag: int, mode: str, context: ssl.SSLContext, on_answer: Callable[[], None]) -> None:
        super().__init__(name=f"patroni {address}", daemon=True)
        self.address = address
        self.port = port
        self.mode = mode
        self.lag = lag
        self.context = context
        self.on_answer = on_answer
        self.hurry = threading.Event()
        self.tls_session: ssl.SSLSession | None = None
        self.last = Answer("silent", 0, 0)
        self.failure = "has not answered yet"  # Why the last poll had no good answer.
        self.elsewhere: str | None = None  # The leader's address according to this member, if it does not lead itself and there is a hurry.
        self.asked_elsewhere_at = float("-inf")
        self.changed_at = time.monotonic()

    @property
    def answer(self) -> Answer:
        return replace(self.last, seconds=time.monotonic() - self.changed_at)

    def run(self) -> None:
        while True:
            began = time.monotonic()
            kind, timeline = self.look()
            if kind != self.last.kind:
                self.changed_at = time.monotonic()
                self.last = Answer(kind, timeline, 1)
            else:
                self.last = Answer(kind, timeline, self.last.times + 1)
            self.on_answer()
            interval = HURRIED_INTERVAL if self.hurry.is_set() else CALM_INTERVAL
            left = began + interval - time.monotonic()
            if left > 0:
                if interval == CALM_INTERVAL:
                    self.hurry.wait(left)
                else:
                    time.sleep(left)

    def look(self) -> tuple[str, int]:
        try:
            if self.mode == "replica":
                status, body = self.get(f"/replica?lag={self.lag}")
                if status == 200:
                    return "replica", int(body.get("timeline") or 0)
                if body.get("role") != "primary":
                    return self.no(status, body)
            status, body = self.get("/primary")
            # 200 means that it holds the leader key, from before its promotion until after its PostgreSQL died.
            if status == 200 and body.get("role") == "primary" and body.get("state") == "running":
                return "primary", int(body.get("timeline") or 0)
            if self.hurry.is_set() and time.monotonic() - self.asked_elsewhere_at >= ELSEWHERE_INTERVAL:
                self.elsewhere, self.asked_elsewhere_at = self.leader(), time.monotonic()
            return self.no(status, body)
        except (OSError, ValueError) as error:
            self.failure = str(error)
            # Nothing listens there, or its name has no address. If the name server does not answer, the state is unknown.
            stopped = isinstance(error, (ConnectionRefusedError, ConnectionResetError)) or resolver.has_no_address(error)
            return ("stopped" if stopped else "silent"), 0

    def no(self, status: int, body: dict) -> tuple[str, int]:
        self.failure = f"{status}, {body.get('role')}, {body.get('state')}"
        return "no", 0

    def leader(self) -> str | None:
        """The address of the leader of this member's group, according to Patroni. If it is unknown, since the DCS is unavailable, what the member
        reported about itself still counts."""
        try:
            _, body = self.get("/cluster")
            urls = [member.get("api_url", "") for member in body.get("members", []) if member.get("role") == "leader"]
            return urlsplit(urls[0]).hostname if urls else None
        except (OSError, ValueError):
            return None

    def get(self, path: str) -> tuple[int, dict]:
        """Status and body. Resuming the previous TLS session saves both sides most of the handshake."""
        with resolver.connect(self.address, self.port, TIMEOUT) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.context.wrap_socket(plain, server_hostname=self.address, session=self.tls_session) as tls:
                tls.settimeout(TIMEOUT)
                tls.sendall(f"GET {path} HTTP/1.0\r\nHost: {self.address}\r\n\r\n".encode())
                received = b""
                while piece := tls.recv(65536):
                    received += piece
                self.tls_session = tls.session
        return parsed(received)


def parsed(received: bytes) -> tuple[int, dict]:
    """Status and body of an answer. Raises OSError if it is incomplete, as from a Patroni that stops, and ValueError if it is invalid."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        raise ConnectionError("the connection was closed before the answer was complete")
    _, status, *_ = *head.split(b" ", 2), b"", b""
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("the answer is not a JSON object")
    return int(status), answer
