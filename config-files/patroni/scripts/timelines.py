"""Gives every promotion of a group a timeline of its own.

PostgreSQL numbers a new timeline one above the last one it knows. A member that stops right after its promotion, before any other member has
seen its timeline, leaves that number to the next one. The two are then taken for the same timeline: the member streams the other's WAL over its
own, and at its next start finds no checkpoint or, worse, finds one (https://github.com/patroni/patroni/issues/1251, open). This is common when
all members are stopped at once: the leader hands over to a member that is stopping, too.

So a member that is about to be promoted claims a number in the DCS. For claimed numbers that it does not know it writes history files without
any WAL to `pg_wal`, and PostgreSQL takes the next number. The files stay there, because others fetch the history of all timelines from the leader.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from patroni.dcs.etcd3 import base64_decode

KEY = "timelines"
# The reason in the history of a timeline without WAL. Existing history files contain it, so the text must not change.
UNKNOWN = "claimed by a member of which nobody heard again"
WRITTEN_OR_RECEIVED = "SELECT GREATEST(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())"

logger = logging.getLogger(__name__)


def history_file(wal: Path, timeline: int) -> Path:
    return wal / f"{timeline:08X}.history"


def newest(wal: Path, timeline: int) -> int:
    """The last timeline known to a server on this one, counted as PostgreSQL does: up to the first gap."""
    while history_file(wal, timeline + 1).exists():
        timeline += 1
    return timeline


def enter(wal: Path, timeline: int, parent: int, lsn: str) -> None:
    ancestors = history_file(wal, parent).read_text() if parent > 1 else ""
    with open(history_file(wal, timeline), "w", encoding="ascii") as file:
        file.write(f"{ancestors}{parent}\t{lsn}\t{UNKNOWN}\n")
        file.flush()
        os.fsync(file.fileno())


def claim(dcs: Any, postgresql: Any) -> bool:
    """False: another member has just claimed a number, according to the DCS. Raises what the DCS or PostgreSQL raises."""
    wal = Path(postgresql.wal_dir)
    key = dcs.client_path(KEY)
    found = dcs._client.range(key, serializable=False).get("kvs", [])
    last = json.loads(base64_decode(found[0]["value"]))["last"] if found else 0
    current = max(postgresql.pg_control_timeline() or 0, postgresql.received_timeline() or 0)
    if current == 0:
        raise RuntimeError("pg_control cannot be read")
    known = newest(wal, current)
    if known < last:
        (lsn,) = postgresql.query(WRITTEN_OR_RECEIVED)[0]
        for timeline in range(known + 1, last + 1):
            if not history_file(wal, timeline).exists():
                logger.warning("timeline %s was claimed by a member that never reported it: skipped", timeline)
                enter(wal, timeline, known, lsn)
    value = json.dumps({"last": newest(wal, known) + 1, "member": postgresql.name})
    unchanged = {"mod_revision": found[0]["mod_revision"]} if found else {"create_revision": "0"}
    return bool(dcs._client.put(key, value, **unchanged))


def without_gap(leader: str, timeline: int, history: list[Any]) -> list[Any]:
    """The history that the leader records in the DCS. Patroni takes its last line for the timeline before the current one: it identifies members
    that missed a failover by it, and without that line it records the same history again in every loop."""
    if not history or history[-1][0] == timeline - 1:
        return history
    return [*history, (timeline - 1, history[-1][1], UNKNOWN, datetime.now(timezone.utc).isoformat(), leader)]


def forget_unused(postgresql: Any) -> None:
    """Removes history files of a promotion that did not happen: a standby would look for WAL of the last timeline it knows."""
    wal = Path(postgresql.wal_dir)
    current = postgresql.pg_control_timeline() or 0
    last = newest(wal, current)
    while last > current and (file := history_file(wal, last)).read_text().endswith(f"\t{UNKNOWN}\n"):
        file.unlink()
        last -= 1
