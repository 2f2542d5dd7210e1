"""Notices that files of a program have changed, and has the program read them again."""

from __future__ import annotations

import os
import shlex
import signal
import time
from dataclasses import dataclass

from processes import described, log, signal_all, spawn

POLL_SECONDS = 1.0
RELOAD_SECONDS = 60.0
RELOAD_RETRY_SECONDS = 5.0

Signature = tuple[tuple[str, int, int, int], ...]


def signature(directories: list[str]) -> Signature:
    """What changes when a file of the directories is written, replaced or swapped by a link."""
    found: list[tuple[str, int, int, int]] = []
    for directory in directories:
        for folder, _, files in os.walk(directory, followlinks=True):
            for name in files:
                path = os.path.join(folder, name)
                try:
                    stat = os.stat(path)
                except OSError:
                    continue  # In the middle of being replaced: the next look finds it.
                found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(sorted(found))


@dataclass
class Watch:
    """Notices a change in directories and runs a command once it has settled."""

    directories: list[str]
    argv: list[str]
    handled: Signature = ()
    seen: Signature = ()
    pid: int = 0
    deadline: float = 0.0
    due: float = 0.0
    look_at: float = 0.0
    running_for: Signature = ()

    def reset(self) -> None:
        """The program is about to start and reads the files as they are now."""
        self.handled = self.seen = signature(self.directories)
        self.pid = 0

    def poll(self, env: dict[str, str]) -> None:
        now = time.monotonic()
        if not self.directories or not self.argv:
            return
        if self.pid:
            if now > self.deadline:
                log(f"{self.argv[0]} takes longer than {RELOAD_SECONDS:.0f} s, killed")
                signal_all([self.pid], signal.SIGKILL)
            return
        # Two looks in a row that are the same say that the files are as they are to be.
        if now < self.look_at:
            return
        self.look_at = now + POLL_SECONDS
        current = signature(self.directories)
        settled, self.seen = current == self.seen, current
        if current == self.handled or not settled or now < self.due:
            return
        log(f"files changed, running {shlex.join(self.argv)}")
        self.running_for = current
        self.deadline = now + RELOAD_SECONDS
        self.pid = spawn(self.argv, env)

    def ended(self, status: int) -> None:
        self.pid = 0
        if status == 0:
            self.handled = self.running_for
        else:
            self.due = time.monotonic() + RELOAD_RETRY_SECONDS
            log(f"{self.argv[0]} {described(status)}, trying again in {RELOAD_RETRY_SECONDS:.0f} s")
