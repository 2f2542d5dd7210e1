#!/usr/bin/python3
"""The first process of every container: starts the program, and restarts it only once all its processes are gone.

    supervise [--watch DIR]... [--reload CMD] [--also CMD]... [--companions FILE] [--before-stop CMD]
              [--before-stop-seconds SECONDS] [--stop-signal NAME] [--grace SECONDS] [--watchdog FILE] -- PROGRAM [ARGUMENT]...

A program that ends unexpectedly is fenced before it is restarted: every other process in the container is killed, until none is left.
No postmaster keeps running without its Patroni, so there is never a second one on the same data, and never a primary that nobody
manages. (A container's restart policy has the same effect, but only after the runtime's back-off, which grows to minutes; here a
program that dies is back after half a second.)

--watch    a directory whose files may change; CMD of --reload runs once a change has settled. Symbolic links are followed, because
           Kubernetes swaps one. CMD gets the program's process id in SUPERVISED_PID, and is retried until it succeeds.
--also     a command that is started with the program, restarted when it ends, and ended when the program ends.
--companions  a file that describes companions, each with its own limits (companions_file.py); read once; no file means no companions. A
           companion that ends, or is killed because it exceeds its memory limit, is restarted once all its processes are gone, while the
           program keeps running. When its files change, only the companion is reloaded. It gets the program's process id in SUPERVISED_PID.
--before-stop  a command that runs when a stop is requested, while the program and its companions still run. It gets the program's process
           id in SUPERVISED_PID. The stop continues when the command has ended, whatever its exit code, or when the stop is requested
           again; if the program ends meanwhile, that was the stop.
--before-stop-seconds  how long the stop waits for that command, default 20; 0: without limit.
--stop-signal  the signal that stops the program, such as SIGINT, whatever signal requested the stop; default: the same signal.
--grace    seconds that the program may take after SIGTERM or SIGINT before everything is killed; default 0: without limit.
--watchdog a file with the time until which the program may run, which the program extends (watchdog.py); SUPERVISED_WATCHDOG contains its
           path. After that time everything is killed at once, whatever state it is in, and the program is restarted; therefore it is
           checked first after this process was frozen itself. Each kill is logged, and is a line in FILE.kills.

SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 are passed on to the program.
Exit code: the program's (128 + number if a signal ended it); 2 for wrong usage; 127 if the program does not exist.
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
# How long companions and leftover processes have after the program ended in an orderly stop.
LEFTOVER_SECONDS = 5.0
# Polling interval of an armed watchdog, besides its end: while the machine sleeps, waits are suspended, but the clock is not.
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
        """Reaps every process that ended; returns the main program's wait status if it is among them."""
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
                        log(f"{program.name} {described(status)}, restarting it in {seconds:.1f} s")

    def fence(self, patience: float = 0.0) -> None:
        """Returns when no other process is left. After `patience` seconds it sends SIGKILL; it waits for processes stuck in the kernel."""
        began = reported = time.monotonic()
        while others := living_others():
            now = time.monotonic()
            if now - began >= patience:
                signal_all(others, signal.SIGKILL)
            if now - reported >= 5:
                reported = now
                log("still running: " + ", ".join(f"{name} ({pid})" for pid, name in others.items()))
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
        """Passes a signal on, and records a request to stop."""
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
        """The exit code if the end was requested; else fences everything and schedules the next start."""
        if self.stop_signal is not None:
            log(f"{self.main.name} {described(status)}")
            self.before_stop_pid = 0
            signal_all(living_others(), signal.SIGTERM)
            self.fence(LEFTOVER_SECONDS)
            return exit_code(status)
        log(f"{self.main.name} {described(status)} unexpectedly: killing everything else")
        self.main.ended()
        self.fence()
        for program in self.beside:
            program.fenced()
        log(f"no process is left, restarting {self.main.name} in {max(0.0, self.main.due - time.monotonic()):.1f} s")
        return None

    def tick(self) -> int | None:
        """Periodic work: due starts, the watch, the end of the grace period."""
        now = time.monotonic()
        if self.main.pid:
            self.look_at_companions()
        if self.stop_signal is not None:
            if not self.main.pid:
                return 0
            if now > self.stop_deadline and self.before_stop_pid:
                log(f"{self.before_stop[0]} takes longer than {self.before_stop_seconds:.0f} s: stopping without waiting for it")
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
                # A companion's error must not end process 1.
                log(f"{companion.name} cannot be checked: {error}")
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
                log(f"watchdog of {self.main.name} expired, everything was killed: {why}")
            if number is not None and number != signal.SIGCHLD:
                self.take(number)
            status = self.reap()
            code = self.main_ended(status) if status is not None else self.tick()
            if code is not None:
                return code


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="supervise", description="Runs a program and restarts it when it ends.")
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
    # Blocked, so that no signal is lost between two waits.
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
        log(f"program not found: {error.filename}")
        return 127


if __name__ == "__main__":
    sys.exit(main())
