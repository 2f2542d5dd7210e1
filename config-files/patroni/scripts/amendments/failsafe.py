"""Members do not wait for a leader that hands over shortly after a loss of etcd.

In failsafe mode the leader tells each member once a second that it leads without etcd. A member believes it for `ttl` seconds (20), even when etcd is
back: as long as etcd has no leader key, it considers the sender of that message the leader. When that leader hands over within that time and
releases its key, no member takes it. That happens if etcd elects a leader and PostgreSQL's leader stops soon after, as when a node is drained: there
was no leader for up to 20 s. Here the presumed leader is asked. If it says that it does not lead, it is believed; no answer proves nothing.

Upstream: https://github.com/patroni/patroni/pull/3253 (closed) argues that a member has nothing but the `ttl` seconds to go by.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from amendments import amends, relies_on

logger = logging.getLogger(__name__)

# As in Patroni's own requests to members that others wait for.
TIMEOUT_SECONDS = 2
# Patroni's role for its own member that has stopped PostgreSQL to hand over, and its role afterwards.
DEMOTED, REPLICA = "demoted", "replica"

relies_on(
    {
        "patroni.ha:Failsafe": "5d102a23e35353d8",
        "patroni.ha:Ha.check_failsafe_topology": "5d41f7a6ecebacc2",
        "patroni.api:RestApiHandler.get_postgresql_status": "fcde58cd57df41e9",
    }
)


def does_not_lead(ha: Any, member: Any) -> bool:
    """According to the member itself. Before a member has sent its name, the presumed leader is this one."""
    if member.name in ("", ha.state_handler.name):
        return ha.state_handler.role in (DEMOTED, REPLICA)
    try:
        said = json.loads(ha.patroni.request(member, timeout=TIMEOUT_SECONDS, retries=0).data)
        # While PostgreSQL runs, the role comes from the database, which is in recovery until a promotion ends. A leader without etcd reports
        # failsafe mode.
        return said.get("role") == DEMOTED or (said.get("role") == REPLICA and not said.get("failsafe_mode_is_active", False))
    except Exception:
        return False


@amends("patroni.ha:Ha.load_cluster_from_dcs", "2ab5b12020b5dd88")
def load_cluster_from_dcs(upstream: Callable[..., Any], ha: Any) -> None:
    upstream(ha)
    leader = ha.cluster.leader
    # A leader known from etcd has a revision.
    if leader is None or leader.version != "" or not does_not_lead(ha, leader.member):
        return
    failsafe = ha._failsafe
    with failsafe._lock:
        # Meanwhile another member may have reported that it leads.
        if failsafe._name == leader.member.name:
            logger.info("failsafe mode is over: %s no longer leads", leader.member.name or ha.state_handler.name)
            failsafe.set_is_active(0)
    upstream(ha)
