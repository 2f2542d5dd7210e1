#!/usr/bin/python3
"""The first process of every container: starts the program, and proves that nothing of it is left before it starts it again.

    supervise [--watch DIR]... [--reload CMD] [--also CMD]... [--companions FILE] [--before-stop CMD]
              [--before-stop-seconds SECONDS] [--stop-signal NAME] [--grace SECONDS] [--watchdog FILE] -- PROGRAM [ARGUMENT]...

A program that ends without having been asked to is fenced before it is started again: every other process in the container is
killed, and looked for until none is there. No postmaster goes on without its Patroni, so there is never a second one on the same
data, and never a primary that nobody manages. (A container's restart policy gives the same, but only after the runtime's own
back-off, which grows to minutes; a program that dies is back here after half a second.)

--watch    a directory whose files may change; CMD of --reload runs once a change has settled. Symbolic links are followed, since
           Kubernetes swaps one. CMD finds the program's process id in SUPERVISED_PID, and is tried again until it succeeds.
--also     a command that is started with the program, started again when it ends, and ended when the program ends.
--companions  a file that describes companions, each with limits of its own (companions_file.py); read once, none if there is none. One
           that ends, or takes more memory than it may and is killed, is started again when nothing is left of it, while the program goes
           on. When its files change, it alone is reloaded. It finds the program's process id in SUPERVISED_PID.
--before-stop  a command that runs when a stop is asked for, while the program still works, and with it its companions. It finds the
           program's process id in SUPERVISED_PID. The stop goes on when it has ended, however it ended, or when the stop is asked for
           again; when the program ends meanwhile, that was the stop.
--before-stop-seconds  for how long the stop waits for that command, default 20; 0: for as long as the command takes.
--stop-signal  what the program is sent for a stop, such as SIGINT, whatever asked for it; default: the same signal.
--grace    seconds that the program may take after SIGTERM or SIGINT before everything is killed; 0, the default, waits for ever.
--watchdog a file by which the program, which finds its name in SUPERVISED_WATCHDOG, says until when it may go on (watchdog.py). When that
           has passed, everything is killed at once, whatever state it is in, and the program is started again; so it is looked at before
           anything else after this process was itself frozen. Each time is a line in the log, and one in FILE.kills.

SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 are handed on to the program.
Exit code: the program's (128 + number if a signal ended it); 2 for wrong usage; 127 when the program does not exist.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time

from companions import Companion
from companions_file import read_companions
from processes import (
    FOR_EVER,
    Program,
    adopt_orphans,
    described,
    exit_code,
    kill_all,
    living_others,
    log,
    signal_all,
    signal_set,
    spawn,
    wait_for,
)
from watch import POLL_SECONDS, Watch, by_command
from watchdog import Watchdog

BEFORE_STOP_SECONDS = 20.0
# How long companions and leftovers have after the program ended in an orderly stop.
LEFTOVER_SECONDS = 5.0
# Of an armed watchdog, besides the moment when it ends: after the machine has slept, waits go on where they were, only clocks have not.
WATCHDOG_POLL_SECONDS = 0.25

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PASSED_ON = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
WAITED_FOR = {signal.SIGCHLD, *STOP_SIGNALS, *PASSED_ON}


class Supervisor:
    def __init__(
        self,
        main: Program,
        also: list[Program],
        companions: list[Companion],
        watch: Watch,
        before_stop: list[str],
        before_stop_seconds: float,
        stop_with: str,
        grace: float,
        watchdog: Watchdog | None,
    ) -> None:
        self.main = main
        self.companions = companions
        self.beside = [*also, *companions]
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
            for companion in self.companions:
                if pid == companion.watch.pid:
                    companion.watch.ended(status)
            for program in self.beside:
                if pid == program.pid:
                    program.ended()
                    if (self.stop_signal is None or self.before_stop_pid) and self.main.pid and main_status is None:
                        seconds = max(0.0, program.due - time.monotonic())
                        log(f"{program.name} {described(status)}, starting it again in {seconds:.1f} s")

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
        for program in self.beside:
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
            signal_all([self.main.pid], number)

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
        for program in self.beside:
            program.fenced()
        log(f"nothing is left, starting {self.main.name} again in {max(0.0, self.main.due - time.monotonic()):.1f} s")
        return None

    def tick(self) -> int | None:
        """What time brings: due starts, the watch, the end of the grace period."""
        now = time.monotonic()
        if self.main.pid:
            self.look_at_companions()
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
                self.start_beside()
            return None
        if not self.main.pid:
            if now >= self.main.due:
                self.start()
            return None
        self.start_beside()
        self.watch.poll(self.environment())
        return None

    def start_beside(self) -> None:
        for program in self.beside:
            if program.may_start():
                program.start(self.environment())

    def look_at_companions(self) -> None:
        for companion in self.companions:
            try:
                companion.look(self.environment())
            except OSError as error:
                # For one who is a guest here, process 1 does not end.
                log(f"{companion.name} cannot be looked at: {error}")
                companion.due = max(companion.due, time.monotonic() + POLL_SECONDS)

    def wait_seconds(self) -> float:
        due = [program.due for program in (self.main, *self.beside) if not program.pid]
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
    parser.add_argument("--companions", default="", metavar="FILE")
    parser.add_argument("--before-stop", default="", metavar="CMD")
    parser.add_argument("--before-stop-seconds", type=float, default=BEFORE_STOP_SECONDS, metavar="SECONDS")
    parser.add_argument("--stop-signal", default="", metavar="NAME", choices=[number.name for number in signal.Signals])
    parser.add_argument("--grace", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--watchdog", default="", metavar="FILE")
    parser.add_argument("program", nargs="+", metavar="PROGRAM")
    return parser.parse_args(argv)


def companions_of(path: str) -> list[Companion]:
    descriptions, wrong = read_companions(path) if path else ([], [])
    for line in wrong:
        log(line)
    return [Companion(description) for description in descriptions]


def main() -> int:
    options = arguments(sys.argv[1:])
    # Blocked, so that none is lost between two waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, WAITED_FOR)
    adopt_orphans()
    reload = shlex.split(options.reload)
    supervisor = Supervisor(
        Program(options.program),
        [Program(shlex.split(command)) for command in options.also],
        companions_of(options.companions),
        Watch(options.watch, by_command(reload) if reload else None),
        shlex.split(options.before_stop),
        options.before_stop_seconds,
        options.stop_signal,
        options.grace,
        Watchdog(options.watchdog, make=True) if options.watchdog else None,
    )
    try:
        return supervisor.run()
    except FileNotFoundError as error:
        log(f"there is no program {error.filename}")
        return 127


if __name__ == "__main__":
    sys.exit(main())
