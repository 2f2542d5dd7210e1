"""What becomes of a mistake that nobody expected, in whichever thread: the program ends, and is started again by who supervises it.

A thread that ended alone would leave a follower that looks well and sees less than there is: a pool once waited, until somebody started it
again, for a leader whom its dead thread should have asked.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback


def end_the_program(of: threading.ExceptHookArgs) -> None:
    name = of.thread.name if of.thread is not None else "a thread"
    print(f"pool-follower: {name} met a mistake, everything begins anew", file=sys.stderr)
    traceback.print_exception(of.exc_type, of.exc_value, of.exc_traceback)
    sys.stderr.flush()
    # At once: other threads wait for nothing that ends.
    os._exit(1)


def watch() -> None:
    threading.excepthook = end_the_program
