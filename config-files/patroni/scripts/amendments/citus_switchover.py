"""The pools' clients are held while a worker group's shards are locked for its switchover.

The coordinators' leader locks the group's shards one by one, so a transaction that uses two of them can deadlock with it: either the transaction
is cancelled, or the switchover continues without the locks and its queries are refused (both seen, one switchover in ten). With the clients held, no
transaction is open while the locks are taken, and taking them is retried.

Upstream: https://github.com/citusdata/citus/issues/6557 (open) asks for a function of Citus that only takes these locks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pools
from amendments import amends, relies_on

# Each takes at most `retry_timeout` seconds, and the group's leader waits `ttl` seconds for all of them.
LOCK_ATTEMPTS = 3
LOCKING = "locks of a worker group"

relies_on({"patroni.postgresql.mpp.citus:CitusHandler.update_node": "c50db2ad5ae8523b", "patroni.ha:Ha.notify_mpp_coordinator": "7554b7d599103c78"})


@amends("patroni.postgresql.mpp.citus:CitusHandler.process_task", "abb573e335a2835e")
def process_task(upstream: Callable[..., Any], handler: Any, task: Any) -> bool:
    if task.event != "before_demote" or handler._in_flight is not None:
        return upstream(handler, task)
    pools.quietly(pools.hold, LOCKING)
    try:
        for _ in range(LOCK_ATTEMPTS - 1):
            try:
                return upstream(handler, task)
            except Exception:  # Logged where it was raised; the transaction ended with its connection.
                continue
        return upstream(handler, task)
    finally:
        pools.quietly(pools.release, LOCKING)
