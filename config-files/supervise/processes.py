"""Waits for, starts, finds and kills processes; and a program that is restarted when it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
# A program that ran this long is not in a crash loop: the delay is reset.
STEADY_SECONDS = 30.0
FOR_EVER = float("inf")
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None, use_errno=True)


def log(message: str) -> None:
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    print(f"{stamp} UTC supervise: {message}", file=sys.stderr, flush=True)


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def signal_set(numbers: set[signal.Signals]) -> ctypes.Array[ctypes.c_ulong]:
    found = (ctypes.c_ulong * 16)()
    for number in numbers:
        libc.sigaddset(found, number)
    return found


def wait_for(numbers: ctypes.Array[ctypes.c_ulong], seconds: float) -> signal.Signals | None:
    """The first of these signals, or None when the time is over, or earlier. Not `signal.sigtimedwait`: if a freeze interrupts it until the
    time is over, it returns arbitrary memory (CPython 3.11 to 3.13)."""
    number = libc.sigtimedwait(numbers, None, ctypes.byref(Timespec(int(seconds), int(seconds % 1 * 1e9))))
    return signal.Signals(number) if number > 0 else None


def adopt_orphans() -> None:
    """Makes this process the parent of orphans even if it is not process 1."""
    if os.getpid() != 1:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def spawn(argv: list[str], env: dict[str, str], own_session: bool = False) -> int:
    """Starts a program with no signal blocked, in the supervisor's process group or in a session of its own."""
    return os.posix_spawnp(argv[0], argv, env, setsigmask=[], setsid=own_session)


def living_others() -> dict[int, str]:
    """Every other process that is still alive, with its name.

    As process 1 these are all processes in the container, including those executed from outside. Elsewhere (a test, a shared process
    namespace) these are the descendants: orphans are reparented to this process, so none escapes.
    """
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    me = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == me:
            continue
        try:
            with open(f"/proc/{entry}/status", encoding="utf-8", errors="replace") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except OSError:
            continue
        if status["Uid"].split()[0] != str(os.getuid()):
            continue  # A shell from outside, as another user: our processes never change their user.
        parents[int(entry)] = int(status["PPid"])
        # A zombie is dead and only waits to be reaped. Its children have been reparented to this process.
        if status["State"][0] not in "ZX":
            names[int(entry)] = status["Name"]
    if me == 1:
        return names

    def ours(pid: int) -> bool:
        while pid in parents:
            if parents[pid] == me:
                return True
            pid = parents[pid]
        return False

    return {pid: name for pid, name in names.items() if ours(pid)}


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill_all() -> None:
    """SIGKILL for all processes that `living_others` would find. As process 1 in a single step, so that none can fork meanwhile."""
    if os.getpid() != 1:
        signal_all(living_others(), signal.SIGKILL)
        return
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


def exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def described(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


@dataclass
class Program:
    """A program that is restarted when it ends, with increasing delays while it keeps ending early."""

    argv: list[str]
    pid: int = 0
    started: float = 0.0
    delay: float = FIRST_DELAY
    due: float = 0.0

    @property
    def name(self) -> str:
        return os.path.basename(self.argv[0])

    def start(self, env: dict[str, str]) -> None:
        self.pid = spawn(self.argv, env)
        self.started = time.monotonic()

    def ended(self) -> None:
        """Schedules the next start."""
        now = time.monotonic()
        if now - self.started >= STEADY_SECONDS:
            self.delay = FIRST_DELAY
        self.pid = 0
        self.due = now + self.delay
        self.delay = min(self.delay * 2, LONGEST_DELAY)

    def fenced(self) -> None:
        """It was killed together with everything else, and is restarted together with the program."""
        self.pid = 0

    def may_start(self) -> bool:
        return not self.pid and time.monotonic() >= self.due
