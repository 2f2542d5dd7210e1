"""An unexpected error in any thread ends the program, and the supervisor restarts it.

If only the thread ended, the follower would look healthy and know less than it should: a pool once waited, until somebody restarted it, for a
leader that its dead thread should have polled.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback


def end_the_program(of: threading.ExceptHookArgs) -> None:
    name = of.thread.name if of.thread is not None else "a thread"
    print(f"pool-follower: unexpected error in {name}, restarting", file=sys.stderr)
    traceback.print_exception(of.exc_type, of.exc_value, of.exc_traceback)
    sys.stderr.flush()
    # Exit at once, without waiting for other threads, which never end.
    os._exit(1)


def watch() -> None:
    threading.excepthook = end_the_program
