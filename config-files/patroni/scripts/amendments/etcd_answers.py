"""A member of etcd that is about to end gives no answer.

Patroni talks to a gateway in etcd, which passes requests on to etcd's own server in the same process. While a member stops, the server ends before
the gateway, and requests end with errors of the connection between the two, such as `malformed header: missing HTTP content-type` (Unknown) or
`server closed the stream without sending trailers` (Internal). Patroni asks another member only where an error is called Unavailable. Any other
that meets the renewal of the lease is taken for its loss: the leader kills its sessions at once, although its lease is good for nineteen more
seconds (seen in a rolling change of etcd; nobody led for 8 s). Here errors that say nothing of the request, and what is no JSON, are treated as
a connection that broke: other members are asked, and where none answers, that is an etcd that is away.

Upstream: https://github.com/patroni/patroni/issues/3118 (open) is such a demotion; https://github.com/patroni/patroni/pull/3595 renames one error.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import etcd
from amendments import amends, relies_on
from patroni.dcs.etcd3 import Etcd3ClientError, GRPCCode

# All others are etcd's own: of the lease, of rights, of what a request asks for. None: an error without a code.
SAYS_NOTHING = (GRPCCode.Canceled, GRPCCode.Unknown, GRPCCode.Internal, None)

relies_on(
    {
        "patroni.dcs.etcd3:_raise_for_data": "999da17155fcaf4d",
        "patroni.dcs.etcd:AbstractEtcdClientWithFailover._do_http_request": "243e8e0c9368db2a",
        "patroni.dcs.etcd:AbstractEtcdClientWithFailover.api_execute": "4a4dd452ead2d759",
        "patroni.dcs.etcd:AbstractEtcd._run_and_handle_exceptions": "98c744e9dc4334c7",
    }
)


@amends("patroni.dcs.etcd3:Etcd3Client._handle_server_response", "e4394f908424a809")
def _handle_server_response(upstream: Callable[..., Any], client: Any, response: Any) -> Any:
    try:
        return upstream(client, response)
    except etcd.EtcdException as error:
        if isinstance(error, Etcd3ClientError) and error.code not in SAYS_NOTHING:
            raise
        # As upstream does for Unavailable: whoever sends requests has its rules for it.
        raise socket.timeout(str(error)) from error
