"""A change of nodes that is not completed is rolled back at its deadline.

The coordinators' leader opens a transaction when a worker group's leader is about to stop, and keeps it open for the successor. Patroni checks its
deadline only when another change is requested. Without a successor (the group is removed, or all of it stops) the transaction stays open, and with
it an exclusive lock on `pg_dist_node`: until a node of another group changes, no group can be added, drained or removed (seen: for 336 s).

Upstream: no report is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

relies_on({"patroni.postgresql.mpp.citus:PgDistTask.__init__": "475f660de0dbf844", "patroni.postgresql.mpp.citus:CitusHandler.run": "b5a0f66f4b2d3b25"})


@amends("patroni.postgresql.mpp.citus:CitusHandler.sync_meta_data", "2ccc743ed57558bf")
def sync_meta_data(upstream: Callable[..., Any], handler: Any, cluster: Any) -> None:
    """Schedules a reload of the nodes after the deadline: before it, the handler's thread rolls back the transaction."""
    upstream(handler, cluster)
    with handler._condition:
        under_way = handler._in_flight
        if under_way is not None and under_way.timeout and under_way.deadline <= time.time():
            handler.schedule_cache_rebuild()
            handler._condition.notify()
