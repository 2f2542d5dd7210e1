"""Patroni's own sessions have the settings they need, whatever the server's parameters are: see pins.py.

With `default_transaction_isolation = serializable` a standby refuses all statements of Patroni, so that no member is healthy enough to lead; with a
library in `session_preload_libraries` that does not exist, Patroni cannot log in. Patroni sets `search_path` and `statement_timeout` itself; its
values come after ours and win.

Upstream: no report of this is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on
from pins import options, pins

relies_on(
    {
        # They call `connect` through its module, so that they get the amended one.
        "patroni.postgresql.connection:NamedConnection.get": "69539ecb556e45c2",
        "patroni.postgresql.connection:get_connection_cursor": "3155c86b3da7b1ce",
    }
)


@amends("patroni.psycopg:connect", "a55deb26df3c2000")
def connect(upstream: Callable[..., Any], *arguments: Any, **kwargs: Any) -> Any:
    own = kwargs.get("options", "")
    return upstream(*arguments, **{**kwargs, "options": f"{options(pins(kwargs.get('user', '')))} {own}".strip()})
