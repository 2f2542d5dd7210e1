"""Every promotion gets a timeline that no other had: see timelines.py.

Upstream: https://github.com/patroni/patroni/issues/1251 (open).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import timelines
from amendments import amends, relies_on

relies_on(
    {
        # Calls `process_sync_replication_prepromote` last before a promotion, and tries again when it returns False.
        "patroni.ha:Ha.enforce_primary_role": "4eac06824bbfce42",
        "patroni.ha:Ha.update_cluster_history": "539ea280cac5a6da",
        "patroni.postgresql:Postgresql.pg_control_timeline": "14a8160f5d10e025",
        "patroni.postgresql:Postgresql.received_timeline": "3dd816fcb310d1c2",
        "patroni.postgresql:Postgresql.wal_dir": "cc8c2235a59755f4",
        "patroni.dcs.etcd3:Etcd3Client.range": "91fbb42947a71bb3",
        "patroni.dcs.etcd3:Etcd3Client.put": "e508c0308ff9d419",
    }
)


@amends("patroni.ha:Ha.process_sync_replication_prepromote", "29eb4b23136e8700")
def process_sync_replication_prepromote(upstream: Callable[..., Any], ha: Any) -> bool:
    """The last step before a promotion, by the holder of the leader key. False: it is tried again in the next loop."""
    if not upstream(ha):
        return False
    try:
        return timelines.claim(ha.dcs, ha.state_handler)
    except Exception as error:
        timelines.logger.warning("no timeline can be claimed: %r", error)
        return False


@amends("patroni.postgresql:Postgresql.start", "171ff06e63cb4b7e")
def start(upstream: Callable[..., Any], postgresql: Any, *arguments: Any, **options: Any) -> Any:
    if not postgresql.is_running():
        timelines.forget_unused(postgresql)
    return upstream(postgresql, *arguments, **options)


@amends("patroni.postgresql:Postgresql.get_history", "ac1747f70cf1eee3")
def get_history(upstream: Callable[..., Any], postgresql: Any, timeline: int) -> list[Any]:
    return timelines.without_gap(postgresql.name, timeline, upstream(postgresql, timeline))
