"""The leader key is released even if one etcd member does not answer.

A leader that hands over stops PostgreSQL and deletes its key in etcd. Patroni asks one etcd member to do so, once. If that member stops at the same
moment (as when a node is drained), the key stays: the cluster has no leader until the former one has started its PostgreSQL again and handed over
once more, or until its lease expires. Here the other members are asked, for as long as Patroni retries its other requests (`retry_timeout`). That is
safe: only a key with the member's own name is deleted, and PostgreSQL has stopped.

Upstream: no report is known. The request has had no retries since Patroni supports etcd's API v3 (patroni/dcs/etcd3.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from amendments import amends, relies_on

relies_on({"patroni.dcs.etcd3:Etcd3._delete_leader": "80fc9c14a1d7cd8e", "patroni.dcs.etcd:AbstractEtcd.retry": "6d267f58e2f378a6"})


@amends("patroni.dcs.etcd3:PatroniEtcd3Client.txn", "79011b7bc477c6d3")
def txn(
    upstream: Callable[..., Any],
    client: Any,
    compare: dict[str, Any],
    success: dict[str, Any],
    failure: dict[str, Any] | None = None,
    *,
    retry: Any = None,
) -> Any:
    if retry is None and "request_delete_range" in success:
        return client._etcd3.retry(partial(upstream, client), compare, success, failure)
    return upstream(client, compare, success, failure, retry=retry)
