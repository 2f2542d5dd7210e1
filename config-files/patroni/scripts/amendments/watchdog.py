"""A leader that freezes is killed before its lease expires: Patroni's watchdog, implemented by process 1 (watchdog.py beside supervise.py).

Patroni has an interface for it (`patroni.watchdog.base`) and one implementation, for a kernel device that resets the whole machine and that
containers do not have. This is another implementation; the amendment makes Patroni use it.

Patroni feeds its watchdog when its lease has been renewed, or when etcd is unavailable and all members have confirmed that it leads. The time
counts from *before* that request was sent: a process that was frozen between etcd's answer and its reading has no more time than the lease has.

Upstream: the device, https://github.com/patroni/patroni/issues/239. No watchdog without a device is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import watchdog
from amendments import amends, relies_on
from patroni.exceptions import WatchdogError
from patroni.watchdog.base import WatchdogBase

DRIVER = "supervise"

relies_on(
    {
        # They feed, arm and disarm it.
        "patroni.watchdog.base:Watchdog": "8210b70fe86bb746",
        "patroni.watchdog.base:WatchdogBase": "56da808e5f2eeb9f",
        "patroni.ha:Ha.update_lock": "65d1ed4fc894a657",
        "patroni.ha:Ha.enforce_primary_role": "4eac06824bbfce42",
        "patroni.ha:Ha._handle_dcs_error": "21b8dcd80e9190e1",
        "patroni.ha:Ha._run_cycle": "736669b5477e4623",
        "patroni.ha:Ha.recover": "4d26b4a185df8919",
        "patroni.ha:Ha.post_recover": "c4623858bcd49313",
        "patroni.ha:Ha.post_bootstrap": "d82e50b93ab54f84",
        "patroni.ha:Ha.demote": "1fca232fc1f1c562",
        "patroni.ha:Ha.shutdown": "6ed0aa61779e7e8d",
        "patroni.postgresql:Postgresql._do_stop": "da52f565d53e1e14",
        # They tie the leader key to the lease.
        "patroni.dcs.etcd3:Etcd3._update_leader": "2973d65066f79c03",
        "patroni.dcs.etcd3:Etcd3._do_attempt_to_acquire_leader": "437b14583c508e11",
        "patroni.dcs.etcd3:Etcd3.attempt_to_acquire_leader": "81169aca0e2fc37f",
    }
)


class Confirmed:
    """The moment, on the watchdog's clock, from which no other member may lead for the lifetime of a lease."""

    since = 0

    @classmethod
    def as_of(cls, moment: int) -> None:
        # Threads beside the loop renew the lease, too.
        cls.since = max(cls.since, moment)


class ProcessOne(WatchdogBase):
    """Process 1 kills Patroni and everything else in its container if Patroni does not report in time that it leads."""

    def __init__(self) -> None:
        self._end: watchdog.Watchdog | None = None
        self._timeout = 0

    @property
    def is_running(self) -> bool:
        return self._end is not None

    @property
    def is_healthy(self) -> bool:
        return watchdog.ENVIRONMENT in os.environ

    def open(self) -> None:
        try:
            self._end = watchdog.Watchdog(os.environ[watchdog.ENVIRONMENT])
        except (KeyError, OSError) as error:
            raise WatchdogError(f"the watchdog of process 1 is not available: {error!r}") from error

    def close(self) -> None:
        if self._end is not None:
            self._end.disarm()
        self._end = None

    def keepalive(self) -> None:
        if self._end is not None:
            self._end.go_on_until((Confirmed.since or watchdog.now()) + self._timeout * watchdog.SECOND)

    def get_timeout(self) -> int:
        return self._timeout

    def has_set_timeout(self) -> bool:
        return True

    def set_timeout(self, timeout: int) -> None:
        self._timeout = timeout
        self.keepalive()

    def describe(self) -> str:
        return "Watchdog of process 1"


@amends("patroni.watchdog.base:WatchdogConfig.get_impl", "898e51e5bc49f2fa")
def get_impl(upstream: Callable[..., Any], config: Any) -> WatchdogBase:
    return ProcessOne() if config.driver == DRIVER else upstream(config)


@amends("patroni.dcs.etcd3:Etcd3._do_refresh_lease", "31db3565f5d494cf")
def _do_refresh_lease(upstream: Callable[..., Any], dcs: Any, *arguments: Any, **options: Any) -> Any:
    begun, last = watchdog.now(), dcs._last_lease_refresh
    result = upstream(dcs, *arguments, **options)
    # Upstream does nothing if the last refresh was recent.
    if dcs._last_lease_refresh != last:
        Confirmed.as_of(begun)
    return result


@amends("patroni.ha:Ha.check_failsafe_topology", "5d41f7a6ecebacc2")
def check_failsafe_topology(upstream: Callable[..., Any], ha: Any) -> bool:
    begun = watchdog.now()
    confirmed = upstream(ha)
    if confirmed:
        Confirmed.as_of(begun)
    return confirmed
