"""The nodes of Citus are read again before they are changed.

The coordinators' leader reads `pg_dist_node` once and then relies on its cache. A row that was deleted and inserted again has another id: the next
switchover of that group fails half-way, and queries are refused instead of held. And a group that was removed and added again unchanged is
considered registered, so it never is.

A group that is being removed is not registered again. Between the removal of its row and its stop its leader still runs. If the removal was killed
at that point, the row of a member that then stopped came back when another group's nodes were read (seen when two groups were removed).

Upstream: no report is known; the cache and its ids are from https://github.com/patroni/patroni/pull/2755.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

# The setting that is switched off in a group's configuration before its row is removed (components/resources/sql/worker-groups/remove.ts).
SWITCHED_OFF = ("citus.recover_2pc_interval", "-1")

relies_on(
    {
        "patroni.dcs:ClusterConfig": "69ff7f5bbdf45ee4",
        "patroni.postgresql.mpp.citus:CitusHandler.__init__": "781b0583c53caf07",
        "patroni.postgresql.mpp.citus:CitusHandler.schedule_cache_rebuild": "94b67e203183e85c",
        "patroni.postgresql.mpp.citus:CitusHandler.query": "4b83ebf73f2f29c6",
        "patroni.postgresql.mpp.citus:CitusHandler.process_tasks": "fd8a651c6383e354",
    }
)


@amends("patroni.postgresql.mpp.citus:CitusHandler.update_group", "63fcb7e320f6697e")
def update_group(upstream: Callable[..., Any], handler: Any, task: Any, transaction: bool) -> None:
    """Reads the nodes again before it changes them; while a change is in flight, the cache is right."""
    if handler._in_flight is None:
        handler.schedule_cache_rebuild()
        if not handler.load_pg_dist_group():
            raise RuntimeError("pg_dist_node cannot be read")
        if task.groupid not in handler._pg_dist_group and task.groupid in getattr(handler, "_leaving", ()):
            return
    upstream(handler, task, transaction)


def leaves(worker: Any) -> bool:
    """Whether a group is about to be removed, according to its configuration in the DCS."""
    parameters = ((worker.config and worker.config.data or {}).get("postgresql") or {}).get("parameters") or {}
    name, value = SWITCHED_OFF
    return str(parameters.get(name)) == value


@amends("patroni.postgresql.mpp.citus:CitusHandler.sync_meta_data", "2ccc743ed57558bf")
def sync_meta_data(upstream: Callable[..., Any], handler: Any, cluster: Any) -> None:
    """Drops from the cache the groups that are no longer in the DCS, and those whose removal was cancelled."""
    leaving = {group for group, worker in cluster.workers.items() if leaves(worker)}
    with handler._condition:
        gone = handler._pg_dist_group.keys() - cluster.workers.keys() - {handler.coordinator_group_id}
        for group in gone | (getattr(handler, "_leaving", set()) - leaving):
            handler._pg_dist_group.pop(group, None)
        handler._leaving = leaving
    upstream(handler, cluster)
