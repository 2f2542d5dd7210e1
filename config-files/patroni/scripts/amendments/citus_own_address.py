"""Citus connects to its own node over the socket (`citus.local_hostname`).

Patroni sets it to its own address, but computes PostgreSQL's parameters before it knows that address, and uses "localhost" until the first change
of the configuration. On localhost nobody can log in without a password: a restarted coordinator refused to move shards.

Upstream: from https://github.com/patroni/patroni/pull/2903; no report of this is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends


@amends("patroni.postgresql.mpp.citus:CitusHandler.adjust_postgres_gucs", "f8db3e3f0bd94d85")
def adjust_postgres_gucs(upstream: Callable[..., Any], handler: Any, parameters: dict[str, Any]) -> None:
    upstream(handler, parameters)
    parameters["citus.local_hostname"] = parameters["unix_socket_directories"]
