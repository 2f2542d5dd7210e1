"""A coordinator leader that stops wakes the threads that wait for it, and does not poll its database in a tight loop.

Requested changes that it has not begun are dropped without waking the thread that waits for them. So a thread of its REST API waits for ever, and
with it the stop, until the process is killed. And while PostgreSQL is down, the nodes are queried in a loop without a pause, which costs half a core
and writes a hundred log lines per second.

Upstream: no report is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

# Between attempts to read `pg_dist_node` while it cannot be read.
LOOK_AGAIN_SECONDS = 1.0

relies_on(
    {
        "patroni.postgresql.mpp.citus:PgDistTask.__init__": "475f660de0dbf844",
        "patroni.postgresql.mpp.citus:PgDistTask.wakeup": "3380232271a9c101",
        "patroni.postgresql.mpp.citus:CitusHandler.run": "b5a0f66f4b2d3b25",
        "patroni.postgresql.mpp.citus:CitusHandler.handle_event": "772f541e963de2a8",
    }
)


@amends("patroni.postgresql.mpp.citus:CitusHandler.load_pg_dist_group", "690fd05b2dde2401")
def load_pg_dist_group(upstream: Callable[..., Any], handler: Any) -> bool:
    loaded = upstream(handler)
    if not loaded:
        with handler._condition:
            handler._condition.wait(LOOK_AGAIN_SECONDS)
    return loaded


@amends("patroni.postgresql.mpp.citus:CitusHandler.on_demote", "a1297c29f0d50590")
def on_demote(upstream: Callable[..., Any], handler: Any) -> None:
    with handler._condition:
        forgotten = list(handler._tasks)
        upstream(handler)
    for task in forgotten:
        task.wakeup()


@amends("patroni.postgresql.mpp.citus:PgDistTask.wait", "755ab80d40bf96ac")
def wait(_: Callable[..., Any], task: Any) -> None:
    """Waits no longer than the task's timeout. A task that another one replaced is never done."""
    task._event.wait(task.timeout)
