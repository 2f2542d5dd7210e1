"""An immediate stop is immediate: `before_stop` does not run before it.

Patroni stops PostgreSQL with "immediate" when its lease is lost and another member may lead by now. `before_stop`, which holds the pools' clients
for a planned stop and waits for their transactions, ran before that, too: a leader that had lost its lease accepted writes for three to ten more
seconds.

Upstream: `before_stop` is from https://github.com/patroni/patroni/pull/2642; no report of this is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends


@amends("patroni.postgresql:Postgresql._do_stop", "da52f565d53e1e14")
def _do_stop(upstream: Callable[..., Any], postgresql: Any, mode: str, *arguments: Any) -> Any:
    postgresql.stops_by = mode
    return upstream(postgresql, mode, *arguments)


@amends("patroni.postgresql:Postgresql._before_stop", "c661aaee72f6791a")
def _before_stop(upstream: Callable[..., Any], postgresql: Any) -> None:
    if postgresql.stops_by != "immediate":
        upstream(postgresql)
