"""Patroni's sleeps end when what they wait for has happened.

Patroni sleeps for whole seconds while it waits for something that takes tenths: that PostgreSQL stops or starts, that a successor leads. Clients
waited for this in every switchover. Here it checks every tenth of a second, and continues when the condition holds. The sleeps are in the middle of
functions, so those modules get another module `time`, whose `sleep` looks at its caller.

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
        # Functions whose sleeps are cut short. `on_shutdown` and `_on_shutdown` are nested in them.
        "patroni.ha:Ha.demote": "1fca232fc1f1c562",
        "patroni.ha:Ha.shutdown": "6ed0aa61779e7e8d",
        "patroni.postgresql:Postgresql._do_stop": "da52f565d53e1e14",
        "patroni.postgresql:Postgresql._wait_for_connection_close": "1d1e4a6bfe2a495b",
        "patroni.postgresql:Postgresql.wait_for_startup": "a06d6dd10dc9cb42",
        "patroni.postgresql:Postgresql.time_in_state": "37addeef9ca9bdec",
        # Functions that wait in a `polling_loop`, and the loop.
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
    """PostgreSQL stops once its replicas have confirmed all its WAL, so from then on a successor has everything."""
    return not ha.state_handler.is_running()


def succeeded(ha: Any) -> bool:
    try:
        leader = ha.dcs.get_cluster().leader
    except Exception:
        return False
    return leader is not None and leader.name not in ("", ha.state_handler.name)


# By the function in patroni.ha that sleeps: the condition it waits for.
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
    # Recovery may take minutes, and each check is a line in PostgreSQL's log.
    if caller.f_code.co_name == "wait_for_startup" and caller.f_locals["self"].time_in_state() > QUICK_START_SECONDS:
        time.sleep(seconds)
    else:
        time.sleep(min(seconds, POLL_SECONDS))


def apply() -> None:
    setattr(patroni.ha, "time", Clock(sleep_in_ha))
    setattr(patroni.postgresql, "time", Clock(sleep_in_postgresql))
    setattr(patroni.postgresql, "STOP_POLLING_INTERVAL", POLL_SECONDS)
    setattr(patroni.postgresql, "polling_loop", partial(patroni.postgresql.polling_loop, interval=POLL_SECONDS))
