"""Companions: additional programs beside the main program, each with its own limits.

A companion is started through a chain of util-linux and coreutils programs that each set one attribute of themselves and exec the next. So the
limits hold from its first instruction on, and for all its children; set through /proc by this process, they would come too late for what a
companion starts at once. Raising these values needs no privilege. RLIMIT_AS cannot limit memory: programs in Go, among others, reserve address
space that they never use.

A companion's children may leave its session and its parents, as servers do that fork twice (pgBackRest's), and must still be found, to be counted
and killed. A resource limit is inherited and hardly ever changed: the limit of CPU time for real-time processes, which do not exist here, is set
to a random number, the companion's mark. Reading a mark is one system call that never blocks; reading a process' environment takes a lock of its
memory, for which process 1 might have to wait.
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

# How long a companion that is restarted because its files changed has to stop.
STOP_SECONDS = 5.0
# Interval between checks for leftover processes of a companion that has ended; they are killed.
LEFTOVER_POLL_SECONDS = 0.1

# Not Pss, which is exact for processes that share memory after a fork: the kernel counts it page by page, holding the memory lock.
ANONYMOUS = re.compile(rb"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


def new_mark() -> int:
    """Microseconds: a limit of thousands of years."""
    return 1 << 60 | int.from_bytes(os.urandom(7), "big")


def oom_score_adj(wanted: int) -> int:
    """Relative to the program's value in this container (Kubernetes gives some pods nearly 1000): a lower value needs a privilege, and with it the
    kernel would kill the program first."""
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
            continue  # It has ended, or belongs to another user and is not ours.
        if soft == mark:
            found.append(int(entry))
    return found


def anonymous_mib(pids: list[int]) -> int:
    """Their private memory, without page cache and shared memory such as PostgreSQL's buffers. Rounded up."""
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
    """A companion. When it ends, that is logged, and it is restarted once all its processes are gone."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self.mark = new_mark()
        super().__init__(self.limited(description.command))
        self.watch = Watch(description.watch, self.reload())
        self.look_at = 0.0
        self.stop_by = FOR_EVER
        # Whether all its processes are gone.
        self.clear = True

    @property
    def name(self) -> str:
        return self.description.name

    def limited(self, command: list[str]) -> list[str]:
        # Full paths, because PATH may be the companion's own.
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
        return Reload(self.name, f"restarting {self.name}", lambda _: self.stop())

    def spawn(self, argv: list[str], env: dict[str, str]) -> int:
        """In its own session: a signal to its process group must not reach the program."""
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
            # No process could be created, or an argument is invalid.
            self.ended()
            log(f"{self.name} cannot be started ({error}), trying again in {self.due - time.monotonic():.1f} s")

    def ended(self) -> None:
        delay = self.delay
        super().ended()
        if self.stop_by != FOR_EVER:
            # The stop was requested.
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
        """Periodic checks: memory, changed files, leftover processes."""
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
            log(f"{self.name} uses {taken} MiB, more than its limit of {limit}: killed")
            self.kill()

    def kill(self) -> None:
        # Its own process may not have the mark yet.
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
