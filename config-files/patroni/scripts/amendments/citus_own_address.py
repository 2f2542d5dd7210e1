"""Citus connects to its own node by the socket (`citus.local_hostname`).

It is to be Patroni's own address, but Patroni settles PostgreSQL's parameters before it knows that address, and writes "localhost" until the
first change of the configuration. There nobody is let in without a password: a coordinator that had been restarted refused to move shards.

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
