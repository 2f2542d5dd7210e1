"""A leader that hands over after a moment without etcd is not waited for.

In failsafe mode the leader tells each member once a second that it goes on without etcd. A member believes it for `ttl` seconds (20), also when
etcd is back: it takes the one that told it for the leader as long as etcd knows none. When that leader hands over within that time, and releases
its key, nobody takes it. That happens where etcd elects a leader and PostgreSQL's leader leaves soon after, as when a node is drained: nobody
led for up to 20 s. Here the one that is taken for the leader is asked. One that says itself that it does not lead is believed; silence says
nothing.

Upstream: https://github.com/patroni/patroni/pull/3253 (closed), where the `ttl` seconds are said to be all that a member can go by.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

logger = logging.getLogger(__name__)

# As Patroni's own requests to members whose answer others wait for.
TIMEOUT_SECONDS = 2
# What Patroni calls its member that has stopped its PostgreSQL to hand over, and what it calls it later.
DEMOTED, REPLICA = "demoted", "replica"

relies_on(
    {
        "patroni.ha:Failsafe": "5d102a23e35353d8",
        "patroni.ha:Ha.check_failsafe_topology": "5d41f7a6ecebacc2",
        "patroni.api:RestApiHandler.get_postgresql_status": "fcde58cd57df41e9",
    }
)


def does_not_lead(ha: Any, member: Any) -> bool:
    """By its own word. The member itself has told nobody its name."""
    if member.name in ("", ha.state_handler.name):
        return ha.state_handler.role in (DEMOTED, REPLICA)
    try:
        said = json.loads(ha.patroni.request(member, timeout=TIMEOUT_SECONDS, retries=0).data)
        # While PostgreSQL runs, its word is that of the database, which is also in recovery while it is promoted. Whoever goes on without etcd says so.
        return said.get("role") == DEMOTED or (said.get("role") == REPLICA and not said.get("failsafe_mode_is_active", False))
    except Exception:
        return False


@amends("patroni.ha:Ha.load_cluster_from_dcs", "2ab5b12020b5dd88")
def load_cluster_from_dcs(upstream: Callable[..., Any], ha: Any) -> None:
    upstream(ha)
    leader = ha.cluster.leader
    # What etcd knows has a revision.
    if leader is None or leader.version != "" or not does_not_lead(ha, leader.member):
        return
    failsafe = ha._failsafe
    with failsafe._lock:
        # Another one may have told meanwhile that it leads.
        if failsafe._name == leader.member.name:
            logger.info("failsafe mode is over: %s does not lead any more", leader.member.name or ha.state_handler.name)
            failsafe.set_is_active(0)
    upstream(ha)
