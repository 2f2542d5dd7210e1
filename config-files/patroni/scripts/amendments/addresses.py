"""The address of a member is looked up for every request.

Patroni's own resolver caches an address for ten minutes, and keeps using it when the name no longer resolves. But after a restart a member has
another address, or none: candidates waited two seconds for a dead leader's address before they considered it dead, and a leader without etcd
asked for its members' confirmation at their former addresses. Addresses of etcd are still cached: a leader that has also lost its name server
must not wait for it while its lease runs out.

Upstream: the cache is emptied when etcd's members are discovered again (https://github.com/patroni/patroni/pull/1499), not for members.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on
from ports import PORTS

relies_on(
    {
        "patroni.dcs.etcd:DnsCachingResolver.__init__": "aa615f5c90417814",
        "patroni.dcs.etcd:DnsCachingResolver.remove": "0f8afb9ecff4a385",
    }
)


@amends("patroni.dcs.etcd:DnsCachingResolver.resolve", "b8e454693534ac31")
def resolve(upstream: Callable[..., Any], resolver: Any, host: str, port: int) -> list[Any]:
    if port != PORTS["patroniRest"]:
        return upstream(resolver, host, port)
    try:
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:  # An answer: the name does not exist. With other errors the name server did not answer.
            resolver.remove(host, port)
        return resolver._cache.get((host, port), (0.0, []))[1]
    resolver._cache[(host, port)] = (time.time(), addresses)
    return addresses
