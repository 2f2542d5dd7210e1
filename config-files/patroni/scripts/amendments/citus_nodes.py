"""The nodes of Citus are looked at before they are changed.

The coordinators' leader reads `pg_dist_node` once and then trusts its memory. A row that somebody else made again has another id: the next
switchover of that group fails half-way, and queries are refused instead of held. And a group that left and came back as it was is taken for
registered, so nobody ever registers it.

Upstream: no report is known; the memory and its ids are from https://github.com/patroni/patroni/pull/2755.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

relies_on(
    {
        "patroni.postgresql.mpp.citus:CitusHandler.__init__": "781b0583c53caf07",
        "patroni.postgresql.mpp.citus:CitusHandler.schedule_cache_rebuild": "94b67e203183e85c",
        "patroni.postgresql.mpp.citus:CitusHandler.query": "4b83ebf73f2f29c6",
        "patroni.postgresql.mpp.citus:CitusHandler.process_tasks": "fd8a651c6383e354",
    }
)


@amends("patroni.postgresql.mpp.citus:CitusHandler.update_group", "63fcb7e320f6697e")
def update_group(upstream: Callable[..., Any], handler: Any, task: Any, transaction: bool) -> None:
    """Looks at the nodes as they are before it changes them; in a change that is under way, memory is right."""
    if handler._in_flight is None:
        handler.schedule_cache_rebuild()
        if not handler.load_pg_dist_group():
            raise RuntimeError("pg_dist_node cannot be read")
    upstream(handler, task, transaction)


@amends("patroni.postgresql.mpp.citus:CitusHandler.sync_meta_data", "2ccc743ed57558bf")
def sync_meta_data(upstream: Callable[..., Any], handler: Any, cluster: Any) -> None:
    """Forgets the groups of which the DCS knows nothing any more."""
    with handler._condition:
        for group in handler._pg_dist_group.keys() - cluster.workers.keys() - {handler.coordinator_group_id}:
            del handler._pg_dist_group[group]
    upstream(handler, cluster)
