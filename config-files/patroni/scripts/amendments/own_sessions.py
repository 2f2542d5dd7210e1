"""Patroni's own sessions are what it needs them to be, whatever the server's parameters say: see pins.py.

With `default_transaction_isolation = serializable` a standby refuses every statement of Patroni's, and nobody is fit to lead any more; with a
library that is not there in `session_preload_libraries` it cannot log in. It pins `search_path` and `statement_timeout` by itself, which
stand after these and win.

Upstream: no report of this is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on
from pins import options, pins

relies_on(
    {
        # Call it by its module, so that they get this one.
        "patroni.postgresql.connection:NamedConnection.get": "69539ecb556e45c2",
        "patroni.postgresql.connection:get_connection_cursor": "3155c86b3da7b1ce",
    }
)


@amends("patroni.psycopg:connect", "a55deb26df3c2000")
def connect(upstream: Callable[..., Any], *arguments: Any, **kwargs: Any) -> Any:
    own = kwargs.get("options", "")
    return upstream(*arguments, **{**kwargs, "options": f"{options(pins(kwargs.get('user', '')))} {own}".strip()})
