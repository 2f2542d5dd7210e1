"""A leader that freezes is killed before its lease ends: Patroni's watchdog, whose other end is process 1 (watchdog.py beside supervise.py).

Patroni has the interface (`patroni.watchdog.base`) and one implementation of it, for a device of the kernel, which resets the whole machine
and which containers do not have. The interface is implemented here; what is amended is who may implement it.

Patroni feeds its watchdog when its lease has been renewed, or when etcd is away and all members have confirmed that it leads. The time
counts from *before* that request was made: who was frozen between the answer of etcd and its reading has no more time than the lease has.

Upstream: the device, https://github.com/patroni/patroni/issues/239. Nothing is known of one without a device.
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
        # Who feeds it, arms it and switches it off, and when.
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
        # By which the leader key lives as long as the lease.
        "patroni.dcs.etcd3:Etcd3._update_leader": "2973d65066f79c03",
        "patroni.dcs.etcd3:Etcd3._do_attempt_to_acquire_leader": "437b14583c508e11",
        "patroni.dcs.etcd3:Etcd3.attempt_to_acquire_leader": "81169aca0e2fc37f",
    }
)


class Confirmed:
    """Since when nobody else may lead for a lease's lifetime, as a moment of the watchdog's clock."""

    since = 0

    @classmethod
    def as_of(cls, moment: int) -> None:
        # The lease is also renewed by threads beside the loop.
        cls.since = max(cls.since, moment)


class ProcessOne(WatchdogBase):
    """Process 1 kills this Patroni and everything else in its container, when it is not told in time that Patroni leads."""

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
            raise WatchdogError(f"process 1 does not watch: {error!r}") from error

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
    # It does nothing while the last time is not long ago.
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
