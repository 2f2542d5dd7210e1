#!/usr/bin/python3
"""The first process of every container: starts the program, and proves that nothing of it is left before it starts it again.

    supervise [--watch DIR]... [--reload CMD] [--also CMD]... [--before-stop CMD] [--before-stop-seconds SECONDS]
              [--stop-signal NAME] [--grace SECONDS] [--watchdog FILE] -- PROGRAM [ARGUMENT]...

A program that ends without having been asked to is fenced before it is started again: every other process in the container is
killed, and looked for until none is there. No postmaster goes on without its Patroni, so there is never a second one on the same
data, and never a primary that nobody manages. (A container's restart policy gives the same, but only after the runtime's own
back-off, which grows to minutes; a program that dies is back here after half a second.)

--watch    a directory whose files may change; CMD of --reload runs once a change has settled. Symbolic links are followed, since
           Kubernetes swaps one. CMD finds the program's process id in SUPERVISED_PID, and is tried again until it succeeds.
--also     a companion, started with the program, started again when it ends, ended when the program ends.
--before-stop  a command that runs when a stop is asked for, while the program still works, and with it its companions. It finds the
           program's process id in SUPERVISED_PID. The stop goes on when it has ended, however it ended, or when the stop is asked for
           again; when the program ends meanwhile, that was the stop.
--before-stop-seconds  for how long the stop waits for that command, default 20; 0: for as long as the command takes.
--stop-signal  what the program is sent for a stop, such as SIGINT, whatever asked for it; default: the same signal.
--grace    seconds that the program may take after SIGTERM or SIGINT before everything is killed; 0, the default, waits for ever.
--watchdog a file by which the program, which finds its name in SUPERVISED_WATCHDOG, says until when it may go on (watchdog.py, beside this
           one, in the images that have it). When that has passed, everything is killed at once, whatever state it is in, and the
           program is started again; so it is looked at before anything else after this process was itself frozen. Each time is a line
           in the log, and one in FILE.kills.

SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 are handed on to the program.
Exit code: the program's (128 + number if a signal ended it); 2 for wrong usage; 127 when the program does not exist.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shlex
import signal
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchdog import Watchdog

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
# A program that lived this long is not in a crash loop: the delay begins anew.
STEADY_SECONDS = 30.0
POLL_SECONDS = 1.0
RELOAD_SECONDS = 60.0
RELOAD_RETRY_SECONDS = 5.0
BEFORE_STOP_SECONDS = 20.0
FOR_EVER = float("inf")
# How long companions and leftovers have after the program ended in an orderly stop.
LEFTOVER_SECONDS = 5.0
# Of an armed watchdog, besides the moment when it ends: after the machine has slept, waits go on where they were, only clocks have not.
WATCHDOG_POLL_SECONDS = 0.25

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PASSED_ON = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
WAITED_FOR = {signal.SIGCHLD, *STOP_SIGNALS, *PASSED_ON}
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None, use_errno=True)

Signature = tuple[tuple[str, int, int, int], ...]


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
    """The first of these signals, or None after that time, or sooner. Not `signal.sigtimedwait`: when a freeze has interrupted that until
    its time was over, it returns whatever its memory held (CPython 3.11 to 3.13)."""
    number = libc.sigtimedwait(numbers, None, ctypes.byref(Timespec(int(seconds), int(seconds % 1 * 1e9))))
    return signal.Signals(number) if number > 0 else None


def spawn(argv: list[str], env: dict[str, str]) -> int:
    """Starts a program with no signal blocked, in the supervisor's process group."""
    return os.posix_spawnp(argv[0], argv, env, setsigmask=[])


def living_others() -> dict[int, str]:
    """Every process but this one that can still do something, with its name.

    As process 1 these are all in the container, those that were executed from outside too. Elsewhere (a test, a shared process
    namespace) these are the descendants: orphans come to this process, so none escapes.
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
            continue  # Somebody's shell from outside: nothing of ours ever changes its user.
        parents[int(entry)] = int(status["PPid"])
        # A zombie is dead, it only waits to be reaped. Its children, if it had any, are ours by now.
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


def signal_all(pids: dict[int, str], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill_all() -> None:
    """SIGKILL to all that `living_others` would find. For process 1 in one step, in which nobody starts another."""
    if os.getpid() != 1:
        signal_all(living_others(), signal.SIGKILL)
        return
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


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


def exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def described(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"ended with exit code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"


@dataclass
class Program:
    """A program that is started again when it ends, later and later while it keeps ending soon."""

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
        """Plans the next start."""
        now = time.monotonic()
        if now - self.started >= STEADY_SECONDS:
            self.delay = FIRST_DELAY
        self.pid = 0
        self.due = now + self.delay
        self.delay = min(self.delay * 2, LONGEST_DELAY)


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
    running_for: Signature = field(default=())

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
                signal_all({self.pid: ""}, signal.SIGKILL)
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


class Supervisor:
    def __init__(
        self,
        main: Program,
        also: list[Program],
        watch: Watch,
        before_stop: list[str],
        before_stop_seconds: float,
        stop_with: str,
        grace: float,
        watchdog: Watchdog | None,
    ) -> None:
        self.main = main
        self.also = also
        self.watch = watch
        self.before_stop = before_stop
        self.before_stop_seconds = before_stop_seconds
        self.before_stop_pid = 0
        self.stop_with = signal.Signals[stop_with] if stop_with else None
        self.grace = grace
        self.watchdog = watchdog
        self.stop_signal: signal.Signals | None = None
        self.stop_deadline = 0.0

    def environment(self) -> dict[str, str]:
        watched = {"SUPERVISED_WATCHDOG": self.watchdog.path} if self.watchdog else {}
        return {**os.environ, "SUPERVISED_PID": str(self.main.pid), **watched}

    def reap(self) -> int | None:
        """Collects every process that ended; the main program's wait status if it is among them."""
        main_status: int | None = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return main_status
            if pid == 0:
                return main_status
            if pid == self.main.pid:
                main_status = status
            elif pid == self.watch.pid:
                self.watch.ended(status)
            elif pid == self.before_stop_pid:
                self.stop_main()
            for program in self.also:
                if pid == program.pid:
                    program.ended()
                    if (self.stop_signal is None or self.before_stop_pid) and main_status is None:
                        log(f"{program.name} {described(status)}, starting it again in {program.due - time.monotonic():.1f} s")

    def fence(self, patience: float = 0.0) -> None:
        """Returns when no other process is left: after `patience` seconds by SIGKILL, and a process stuck in the kernel is waited for."""
        began = reported = time.monotonic()
        while others := living_others():
            now = time.monotonic()
            if now - began >= patience:
                signal_all(others, signal.SIGKILL)
            if now - reported >= 5:
                reported = now
                log("still there: " + ", ".join(f"{name} ({pid})" for pid, name in others.items()))
            time.sleep(0.01)
            self.reap()

    def start(self) -> None:
        if self.watchdog:
            self.watchdog.disarm()
        self.watch.reset()
        self.main.start(self.environment())
        for program in self.also:
            program.start(self.environment())

    def take(self, number: signal.Signals) -> None:
        """Hands a signal on, and remembers that it was a request to stop."""
        if number in STOP_SIGNALS and self.stop_signal is None:
            self.stop_signal = number
            if not self.before_stop or not self.main.pid:
                self.stop_main()
                return
            log(f"{number.name}: running {shlex.join(self.before_stop)} before the stop")
            self.before_stop_pid = spawn(self.before_stop, self.environment())
            self.stop_deadline = time.monotonic() + (self.before_stop_seconds or FOR_EVER)
        elif number in STOP_SIGNALS and self.before_stop_pid:
            self.stop_main()
        else:
            self.signal_main(self.stop_with or number if number in STOP_SIGNALS else number)

    def signal_main(self, number: signal.Signals) -> None:
        if self.main.pid:
            signal_all({self.main.pid: ""}, number)

    def stop_main(self) -> None:
        assert self.stop_signal is not None
        self.before_stop_pid = 0
        self.stop_deadline = time.monotonic() + (self.grace or FOR_EVER)
        number = self.stop_with or self.stop_signal
        log(f"{self.stop_signal.name}: stopping {self.main.name} by {number.name}")
        self.signal_main(number)

    def main_ended(self, status: int) -> int | None:
        """The exit code if the end was asked for; else everything is fenced, and the next start is planned."""
        if self.stop_signal is not None:
            log(f"{self.main.name} {described(status)}")
            self.before_stop_pid = 0
            signal_all(living_others(), signal.SIGTERM)
            self.fence(LEFTOVER_SECONDS)
            return exit_code(status)
        log(f"{self.main.name} {described(status)} without having been asked to: killing everything else")
        self.main.ended()
        self.fence()
        for program in self.also:
            program.pid = 0
        log(f"nothing is left, starting {self.main.name} again in {max(0.0, self.main.due - time.monotonic()):.1f} s")
        return None

    def tick(self) -> int | None:
        """What time brings: due starts, the watch, the end of the grace period."""
        now = time.monotonic()
        if self.stop_signal is not None:
            if not self.main.pid:
                return 0
            if now > self.stop_deadline and self.before_stop_pid:
                log(f"{self.before_stop[0]} takes longer than {self.before_stop_seconds:.0f} s")
                self.stop_main()
            elif now > self.stop_deadline:
                log(f"{self.main.name} did not stop within {self.grace:.0f} s: killing everything")
                kill_all()
            elif self.before_stop_pid:
                self.start_companions()
            return None
        if not self.main.pid:
            if now >= self.main.due:
                self.start()
            return None
        self.start_companions()
        self.watch.poll(self.environment())
        return None

    def start_companions(self) -> None:
        for program in self.also:
            if not program.pid and time.monotonic() >= program.due:
                program.start(self.environment())

    def wait_seconds(self) -> float:
        due = [program.due for program in (self.main, *self.also) if not program.pid]
        if self.stop_signal is not None:
            due = [self.stop_deadline]
        left = self.watchdog.left if self.watchdog else None
        watched = [] if left is None else [WATCHDOG_POLL_SECONDS, left]
        return max(0.01, min([POLL_SECONDS, *watched, *(moment - time.monotonic() for moment in due)]))

    def run(self) -> int:
        numbers = signal_set(WAITED_FOR)
        self.start()
        while True:
            number = wait_for(numbers, self.wait_seconds())
            if self.watchdog and (why := self.watchdog.look(kill_all)):
                log(f"watchdog: {self.main.name} may not go on, {why}: everything was killed")
            if number is not None and number != signal.SIGCHLD:
                self.take(number)
            status = self.reap()
            code = self.main_ended(status) if status is not None else self.tick()
            if code is not None:
                return code


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="supervise", description="Runs a program and starts it again when it dies.")
    parser.add_argument("--watch", action="append", default=[], metavar="DIR")
    parser.add_argument("--reload", default="", metavar="CMD")
    parser.add_argument("--also", action="append", default=[], metavar="CMD")
    parser.add_argument("--before-stop", default="", metavar="CMD")
    parser.add_argument("--before-stop-seconds", type=float, default=BEFORE_STOP_SECONDS, metavar="SECONDS")
    parser.add_argument("--stop-signal", default="", metavar="NAME", choices=[number.name for number in signal.Signals])
    parser.add_argument("--grace", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--watchdog", default="", metavar="FILE")
    parser.add_argument("program", nargs="+", metavar="PROGRAM")
    return parser.parse_args(argv)


def watchdog_at(path: str) -> Watchdog | None:
    if not path:
        return None
    from watchdog import Watchdog

    return Watchdog(path, make=True)


def main() -> int:
    options = arguments(sys.argv[1:])
    # Blocked, so that none is lost between two waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
    if os.getpid() != 1:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    supervisor = Supervisor(
        Program(options.program),
        [Program(shlex.split(command)) for command in options.also],
        Watch(options.watch, shlex.split(options.reload)),
        shlex.split(options.before_stop),
        options.before_stop_seconds,
        options.stop_signal,
        options.grace,
        watchdog_at(options.watchdog),
    )
    try:
        return supervisor.run()
    except FileNotFoundError as error:
        log(f"there is no program {error.filename}")
        return 127


if __name__ == "__main__":
    sys.exit(main())
