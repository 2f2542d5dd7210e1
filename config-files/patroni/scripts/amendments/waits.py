"""What Patroni waits for ends its waits.

It sleeps for whole seconds where it waits for something that takes tenths: PostgreSQL stops or starts, a successor leads. Clients waited for
these in every switchover. Here it looks again after a tenth, and goes on when what it waits for has come. The sleeps are in the middle of
functions, so the module `time` that they see is another one, which asks who sleeps.

Upstream: https://github.com/patroni/patroni/pull/3510 describes the whole seconds of a stop (closed); the two seconds after a demotion are
from https://github.com/patroni/patroni/pull/164.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import patroni.ha
import patroni.postgresql
from amendments import relies_on

POLL_SECONDS = 0.1
QUICK_START_SECONDS = 3.0

relies_on(
    {
        # Whose sleeps are cut short. `on_shutdown` and `_on_shutdown` are parts of them.
        "patroni.ha:Ha.demote": "1fca232fc1f1c562",
        "patroni.ha:Ha.shutdown": "6ed0aa61779e7e8d",
        "patroni.postgresql:Postgresql._do_stop": "da52f565d53e1e14",
        "patroni.postgresql:Postgresql._wait_for_connection_close": "1d1e4a6bfe2a495b",
        "patroni.postgresql:Postgresql.wait_for_startup": "a06d6dd10dc9cb42",
        "patroni.postgresql:Postgresql.time_in_state": "37addeef9ca9bdec",
        # Who wait in a `polling_loop`, and the loop.
        "patroni.postgresql:Postgresql.wait_for_port_open": "20cdaec388df92ec",
        "patroni.postgresql:Postgresql._wait_promote": "fcd04219acbf9ef5",
        "patroni.utils:polling_loop": "c21065e070615a71",
    }
)


class Clock:
    """The module `time`, with another `sleep`."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def stopped(ha: Any) -> bool:
    """PostgreSQL ends when its replicas have confirmed all that it wrote, so a successor lacks nothing then."""
    return not ha.state_handler.is_running()


def succeeded(ha: Any) -> bool:
    try:
        leader = ha.dcs.get_cluster().leader
    except Exception:
        return False
    return leader is not None and leader.name not in ("", ha.state_handler.name)


# By the function of patroni.ha that sleeps: what it gives others the time for.
WAITS_FOR = {"on_shutdown": stopped, "_on_shutdown": stopped, "demote": succeeded}


def sleep_in_ha(seconds: float) -> None:
    caller = sys._getframe(1)
    come = WAITS_FOR.get(caller.f_code.co_name)
    if come is None:
        time.sleep(seconds)
        return
    deadline = time.monotonic() + seconds
    while not come(caller.f_locals["self"]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def sleep_in_postgresql(seconds: float) -> None:
    caller = sys._getframe(1)
    # A recovery may take minutes, and each look at it is a line in PostgreSQL's log.
    if caller.f_code.co_name == "wait_for_startup" and caller.f_locals["self"].time_in_state() > QUICK_START_SECONDS:
        time.sleep(seconds)
    else:
        time.sleep(min(seconds, POLL_SECONDS))


def apply() -> None:
    setattr(patroni.ha, "time", Clock(sleep_in_ha))
    setattr(patroni.postgresql, "time", Clock(sleep_in_postgresql))
    setattr(patroni.postgresql, "STOP_POLLING_INTERVAL", POLL_SECONDS)
    setattr(patroni.postgresql, "polling_loop", partial(patroni.postgresql.polling_loop, interval=POLL_SECONDS))
