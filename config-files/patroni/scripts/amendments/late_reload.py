"""Patroni asks which parameters wait for a restart only after PostgreSQL has read its files.

After a change of parameters Patroni reloads PostgreSQL, sleeps for one second and asks which parameters wait for a restart. On a busy machine the
postmaster may read its files later than that. Then no parameter waits for a restart yet, so the member's "pending restart" flag is never set and
nobody restarts it. Here that second begins after the files were read. If that takes too long, the query fails, and what Patroni found by itself
stands: each changed parameter that needs a restart.

Upstream: no report is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from amendments import amends

# The loop that renews the lease is blocked meanwhile. The watchdog allows it five seconds besides `loop_wait` and twice `retry_timeout`, of which
# Patroni sleeps for one.
READ_WITHIN_SECONDS = 4.0
LOOK_AGAIN_SECONDS = 0.1


def read_at(postgresql: Any) -> Any:
    """When Patroni's session last read PostgreSQL's files, which it does after the postmaster. None if the query fails."""
    try:
        return postgresql.query("SELECT pg_catalog.pg_conf_load_time()", retry=False)[0][0]
    except Exception:
        return None


@amends("patroni.postgresql.config:ConfigHandler.reload_config", "5a779ee1f01e80d4")
def reload_config(upstream: Callable[..., Any], handler: Any, *arguments: Any, **options: Any) -> None:
    """Reloads PostgreSQL, then asks what waits for a restart; Patroni handles a failure of that query."""
    handler._postgresql.is_asked_after_reload = True
    try:
        upstream(handler, *arguments, **options)
    finally:
        handler._postgresql.is_asked_after_reload = handler._postgresql.is_unread = False


@amends("patroni.postgresql:Postgresql.reload", "31d8add25d4843df")
def reload(upstream: Callable[..., Any], postgresql: Any, *arguments: Any, **options: Any) -> bool:
    before = read_at(postgresql) if getattr(postgresql, "is_asked_after_reload", False) else None
    done = upstream(postgresql, *arguments, **options)
    if done and before is not None:
        until = time.monotonic() + READ_WITHIN_SECONDS
        while time.monotonic() < until and read_at(postgresql) == before:
            time.sleep(LOOK_AGAIN_SECONDS)
        postgresql.is_unread = read_at(postgresql) == before
    return done


@amends("patroni.postgresql:Postgresql.query", "070d4d3808b523a2")
def query(upstream: Callable[..., Any], postgresql: Any, sql: str, *parameters: Any, **options: Any) -> Any:
    if getattr(postgresql, "is_unread", False) and sql.endswith(" AND pending_restart"):
        raise TimeoutError(f"PostgreSQL has not read its files for {READ_WITHIN_SECONDS:.0f} s")
    return upstream(postgresql, sql, *parameters, **options)
