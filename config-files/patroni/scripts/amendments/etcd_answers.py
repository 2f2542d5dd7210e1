"""Errors of an etcd member that is stopping do not count as answers.

Patroni talks to etcd's gRPC gateway, which passes requests on to the server in the same process. While a member stops, the server ends before the
gateway, and requests fail with errors of the connection between the two, such as `malformed header: missing HTTP content-type` (Unknown) or
`server closed the stream without sending trailers` (Internal). Patroni asks another member only if the error is Unavailable. Any other error while
the lease is renewed counts as its loss: the leader terminates its sessions at once, although its lease is valid for nineteen more seconds (seen in
a rolling update of etcd; there was no leader for 8 s). Here errors that are not about the request, and answers that are not JSON, are treated like
a broken connection: other members are asked, and if none answers, etcd is unavailable.

Upstream: https://github.com/patroni/patroni/issues/3118 (open) is such a demotion; https://github.com/patroni/patroni/pull/3595 renames one error.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import etcd
from amendments import amends, relies_on
from patroni.dcs.etcd3 import Etcd3ClientError, GRPCCode

# All others are etcd's own answers: about the lease, permissions, or the request. None: an error without a code.
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
        # As upstream does for Unavailable: the callers handle it.
        raise socket.timeout(str(error)) from error
