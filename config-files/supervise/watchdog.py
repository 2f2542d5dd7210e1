"""A watchdog between a program and the first process of its container, which needs no device.

The program says until when it may go on, again and again; when that moment has passed, process 1 kills everything. Both ends share one word of
memory, a file that each maps: to say it, and to look, takes no system call, waits for nothing, and cannot fail for want of space.

A moment is nanoseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps or the container is frozen, and which nobody sets. (While a
hypervisor holds the whole machine, that clock stands still as every other does.) 0: the program is not watched.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress

# Where the program finds the name of the file.
ENVIRONMENT = "SUPERVISED_WATCHDOG"
WORD = struct.Struct("=q")
SECOND = 1_000_000_000
# An end that is noticed later than this was not waited for by a process that ran.
NOTICED_SECONDS = 1.0


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Watchdog:
    """Either end of it. Raises OSError if the file cannot be made or mapped."""

    def __init__(self, path: str, make: bool = False) -> None:
        self.path = path
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if make else 0), 0o600)
        try:
            if make:
                os.ftruncate(file, WORD.size)
            self._word = mmap.mmap(file, WORD.size)
        finally:
            os.close(file)
        if make:
            self.disarm()

    def go_on_until(self, moment: int) -> None:
        # A slice of eight aligned bytes is stored at once: the other end never sees half of it.
        self._word[:] = WORD.pack(moment)

    def disarm(self) -> None:
        self.go_on_until(0)

    @property
    def left(self) -> float | None:
        """Seconds until everything is killed, negative when it is time; None while the program is not watched."""
        (moment,) = WORD.unpack(self._word[:])
        return (moment - now()) / SECOND if moment else None

    def look(self, kill: Callable[[], None]) -> str | None:
        """Process 1's look. When it is time, it kills first and speaks later: after a freeze everything else runs again, too. Returns why
        it did; each time is a line in a file beside the word."""
        left = self.left
        if left is None or left > 0:
            return None
        kill()
        self.disarm()
        if -left > NOTICED_SECONDS:
            why = f"since {-left:.1f} s; until now nothing ran here: the container was paused, or the machine slept or had no time for it"
        else:
            why = "for it has not said so in time: it hangs or is frozen, or what it waits for is"
        # Only a count: that it cannot be kept must not be the end of process 1. The log has the same line.
        with suppress(OSError), open(f"{self.path}.kills", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {why}\n")
        return why
