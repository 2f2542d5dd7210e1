"""Companions: programs of others beside the program, each with limits of its own.

A companion is started through programs of util-linux and coreutils that each set one thing of themselves and become the next. So it has
everything from its first instruction on, and so does all that it starts; written to /proc by this process, it would come too late for
what a companion starts at once. Raising needs no privilege. RLIMIT_AS would be no limit of memory: programs in Go, among others, reserve
address space that they never use.

What a companion starts may leave its session and its parents, as servers do that fork twice (pgBackRest's), and must be found all the
same, to be counted and killed. What nobody can leave and nobody changes is a limit of resources: that for the CPU time of real-time
processes, of which there are none here, has a number drawn by lot, its mark. To look at a mark is one system call, which waits for
nothing; a process' environment would be read under a lock of its memory, for which process 1 might have to wait.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import time

from companions_file import Description
from processes import FOR_EVER, Program, log, signal_all, spawn
from watch import POLL_SECONDS, Reload, Watch, by_command

# For one that is to be started again because its files changed.
STOP_SECONDS = 5.0
# While something is left of a companion that has ended, which is killed.
LEFTOVER_POLL_SECONDS = 0.1

# Not Pss, which is exact where processes share memory after a fork: it is counted page by page, under the lock of the memory.
ANONYMOUS = re.compile(rb"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


def new_mark() -> int:
    """Microseconds, thousands of years of them."""
    return 1 << 60 | int.from_bytes(os.urandom(7), "big")


def oom_score_adj(wanted: int) -> int:
    """Beyond what the program has of the container (Kubernetes gives some pods nearly 1000): to go below that needs a privilege, and the
    kernel would take the program first."""
    with open("/proc/self/oom_score_adj", encoding="ascii") as file:
        return min(1000, wanted + max(0, int(file.read())))


def marked(mark: int) -> list[int]:
    """The processes with this mark."""
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            soft, _ = resource.prlimit(int(entry), resource.RLIMIT_RTTIME)
        except (ProcessLookupError, PermissionError):
            continue  # It has ended; or it is another user's, so nothing of ours.
        if soft == mark:
            found.append(int(entry))
    return found


def anonymous_mib(pids: list[int]) -> int:
    """The memory that is theirs alone: neither page cache nor what they share, such as PostgreSQL's buffers. Rounded up."""
    kib = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                found = ANONYMOUS.search(file.read())
        except (FileNotFoundError, ProcessLookupError):
            continue
        kib += int(found[1]) if found else 0
    return -(-kib // 1024)


class Companion(Program):
    """Its end is logged, and it is started again when nothing is left of it."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.mark = new_mark()
        super().__init__(self.limited(description.command))
        self.watch = Watch(description.watch, self.reload())
        self.look_at = 0.0
        self.stop_by = FOR_EVER
        # Whether nothing is left of it.
        self.clear = True

    @property
    def name(self) -> str:
        return self.description.name

    def limited(self, command: list[str]) -> list[str]:
        # By their full names: PATH may be the companion's own.
        return [
            *("/usr/bin/prlimit", f"--rttime={self.mark}:"),
            *("/usr/bin/choom", "-n", str(oom_score_adj(self.description.oom_score_adj)), "--"),
            *("/usr/bin/nice", "-n", str(self.description.nice), "--", *command),
        ]

    def reload(self) -> Reload:
        number, command = self.description.reload_signal, self.description.reload_command
        if number:
            return Reload(self.name, f"sending {self.name} {number.name}", lambda _: self.send(number))
        if command:
            return by_command(command, lambda argv, env: self.spawn(self.limited(argv), env))
        return Reload(self.name, f"starting {self.name} again", lambda _: self.stop())

    def spawn(self, argv: list[str], env: dict[str, str]) -> int:
        """In a session of its own: a signal that it sends to its process group is not for the program."""
        return spawn(argv, {**env, **self.description.env}, own_session=True)

    def send(self, number: signal.Signals) -> int:
        signal_all([self.pid], number)
        return 0

    def stop(self) -> int:
        self.stop_by = time.monotonic() + STOP_SECONDS
        return self.send(signal.SIGTERM)

    def start(self, env: dict[str, str]) -> None:
        self.watch.reset()
        self.started = time.monotonic()
        try:
            self.pid = self.spawn(self.argv, env)
        except (OSError, ValueError) as error:
            # No process is to be had, or no program takes such an argument.
            self.ended()
            log(f"{self.name} cannot be started ({error}), trying again in {self.due - time.monotonic():.1f} s")

    def ended(self) -> None:
        delay = self.delay
        super().ended()
        if self.stop_by != FOR_EVER:
            # It was asked to.
            self.delay, self.due = delay, time.monotonic()
        self.stop_by = FOR_EVER
        self.look_at = 0.0
        self.clear = False

    def fenced(self) -> None:
        super().fenced()
        self.clear = True

    def may_start(self) -> bool:
        return self.clear and super().may_start()

    def look(self, env: dict[str, str]) -> None:
        """What time brings: its memory, changed files, the end of what it left."""
        if not self.pid:
            self.clear_up()
            return
        self.watch.poll({**env, "SUPERVISED_PID": str(self.pid)})
        now = time.monotonic()
        if now >= self.stop_by:
            self.stop_by = now + STOP_SECONDS
            log(f"{self.name} did not stop within {STOP_SECONDS:.0f} s: killed")
            self.kill()
        limit = self.description.memory_mib
        if limit is None or now < self.look_at:
            return
        self.look_at = now + POLL_SECONDS
        taken = anonymous_mib(marked(self.mark))
        if taken > limit:
            log(f"{self.name} takes {taken} MiB, more than its {limit}: killed")
            self.kill()

    def kill(self) -> None:
        # Its own process may not have its mark yet.
        signal_all({self.pid, *marked(self.mark)}, signal.SIGKILL)

    def clear_up(self) -> None:
        now = time.monotonic()
        if self.clear or now < self.look_at:
            return
        left = marked(self.mark)
        signal_all(left, signal.SIGKILL)
        self.clear = not left
        self.look_at = now + LEFTOVER_POLL_SECONDS
        if left:
            self.due = max(self.due, self.look_at)
