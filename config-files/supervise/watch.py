"""Detects changes of a program's files, and makes the program reread them."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from processes import described, log, signal_all, spawn

POLL_SECONDS = 1.0
RELOAD_SECONDS = 60.0
RELOAD_RETRY_SECONDS = 5.0

Signature = tuple[tuple[str, int, int, int], ...]


def signature(directories: list[str]) -> Signature:
    """A value that changes when a file in the directories is written, replaced or swapped through a link."""
    found: list[tuple[str, int, int, int]] = []
    for directory in directories:
        for folder, _, files in os.walk(directory, followlinks=True):
            for name in files:
                path = os.path.join(folder, name)
                try:
                    stat = os.stat(path)
                except OSError:
                    continue  # It is just being replaced: the next poll finds it.
                found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(sorted(found))


@dataclass(frozen=True)
class Reload:
    """How a program is made to reread its files."""

    # Both for the log.
    name: str
    doing: str
    # Returns the process id of a command that completes the reload, or 0 if it is complete.
    start: Callable[[dict[str, str]], int]


def by_command(argv: list[str], start: Callable[[list[str], dict[str, str]], int] = spawn) -> Reload:
    return Reload(argv[0], f"running {shlex.join(argv)}", lambda env: start(argv, env))


@dataclass
class Watch:
    """Detects changes in directories and reloads once they have settled; retries until the reload succeeds."""

    directories: list[str]
    reload: Reload | None
    handled: Signature = ()
    seen: Signature = ()
    pid: int = 0
    deadline: float = 0.0
    due: float = 0.0
    look_at: float = 0.0
    running_for: Signature = ()

    def reset(self) -> None:
        """The program is about to start and will read the current files."""
        self.handled = self.seen = signature(self.directories)
        self.pid = 0

    def poll(self, env: dict[str, str]) -> None:
        now = time.monotonic()
        if not self.directories or not self.reload:
            return
        if self.pid:
            if now > self.deadline:
                log(f"{self.reload.name} takes longer than {RELOAD_SECONDS:.0f} s, killed")
                signal_all([self.pid], signal.SIGKILL)
            return
        # Two equal polls in a row mean that the change is complete.
        if now < self.look_at:
            return
        self.look_at = now + POLL_SECONDS
        current = signature(self.directories)
        settled, self.seen = current == self.seen, current
        if current == self.handled or not settled or now < self.due:
            return
        log(f"files changed, {self.reload.doing}")
        self.running_for = current
        self.deadline = now + RELOAD_SECONDS
        try:
            self.pid = self.reload.start(env)
        except (OSError, ValueError) as error:
            self.failed(f"cannot be run ({error})")
            return
        if not self.pid:
            self.handled = current

    def ended(self, status: int) -> None:
        self.pid = 0
        if status == 0:
            self.handled = self.running_for
        else:
            self.failed(described(status))

    def failed(self, how: str) -> None:
        assert self.reload is not None
        self.due = time.monotonic() + RELOAD_RETRY_SECONDS
        log(f"{self.reload.name} {how}, trying again in {RELOAD_RETRY_SECONDS:.0f} s")
