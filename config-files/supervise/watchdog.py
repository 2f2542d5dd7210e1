"""A watchdog between a program and process 1 of its container, which needs no device.

The program keeps extending the time until which it may run; when that time has passed, process 1 kills everything. Both share one word of memory,
a file that each maps: reading and writing it takes no system call, never blocks, and cannot fail for lack of space.

The time is in nanoseconds of CLOCK_BOOTTIME, which continues while the machine sleeps or the container is frozen, and which cannot be set. (While a
hypervisor pauses the whole machine, this clock stops like all others.) 0: the watchdog is disarmed.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress

# The environment variable with the path of the file.
ENVIRONMENT = "SUPERVISED_WATCHDOG"
WORD = struct.Struct("=q")
SECOND = 1_000_000_000
# If the end is noticed later than this, process 1 itself did not run.
NOTICED_SECONDS = 1.0


def now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Watchdog:
    """Either side of it. Raises OSError if the file cannot be created or mapped."""

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
        # Eight aligned bytes are stored at once: the other side never sees half of the value.
        self._word[:] = WORD.pack(moment)

    def disarm(self) -> None:
        self.go_on_until(0)

    @property
    def left(self) -> float | None:
        """Seconds until everything is killed, negative if overdue; None while disarmed."""
        (moment,) = WORD.unpack(self._word[:])
        return (moment - now()) / SECOND if moment else None

    def look(self, kill: Callable[[], None]) -> str | None:
        """Process 1's check. It kills first and reports later, because after a freeze everything else runs again, too. Returns the reason if it
        killed; each reason is also a line in a file beside the word."""
        left = self.left
        if left is None or left > 0:
            return None
        kill()
        self.disarm()
        if -left > NOTICED_SECONDS:
            why = f"noticed {-left:.1f} s late; until now nothing ran here: the container was paused, or the machine slept or was overloaded"
        else:
            why = "it was not extended in time: the program, or what it waits for, hangs or is frozen"
        # Only a record: if it cannot be written, process 1 must not fail. The log has the same line.
        with suppress(OSError), open(f"{self.path}.kills", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {why}\n")
        return why
