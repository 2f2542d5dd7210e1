"""Gives every promotion of a group a timeline of its own.

PostgreSQL numbers a new timeline one above the last that it knows. A member that stops right after its promotion, before anybody has heard
of its timeline, leaves that number to the next one. The two are then taken for one: the member streams the other's WAL over its own, and
at its next start finds no checkpoint, or worse, finds one (https://github.com/patroni/patroni/issues/1251, open). Members that are stopped all at
once do this often: the leader hands over to one that is stopping, too.

So whoever is about to be promoted claims a number in the DCS. Up to the last one claimed, those that it does not know are entered in
`pg_wal` as timelines without any WAL, and PostgreSQL takes the next. They stay there, as others fetch the history of all timelines from the leader.
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
# The reason in the history of a timeline that nobody has WAL of.
UNKNOWN = "claimed by a member of which nobody heard again"
WRITTEN_OR_RECEIVED = "SELECT GREATEST(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())"

logger = logging.getLogger(__name__)


def history_file(wal: Path, timeline: int) -> Path:
    return wal / f"{timeline:08X}.history"


def newest(wal: Path, timeline: int) -> int:
    """The last timeline that a server on this one knows, counted as PostgreSQL does: up to the first gap."""
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
    """False: the DCS says that somebody else has just claimed one. Raises what the DCS or PostgreSQL raises."""
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
                logger.warning("timeline %s was claimed by a member of which nobody heard again: not taken", timeline)
                enter(wal, timeline, known, lsn)
    value = json.dumps({"last": newest(wal, known) + 1, "member": postgresql.name})
    unchanged = {"mod_revision": found[0]["mod_revision"]} if found else {"create_revision": "0"}
    return bool(dcs._client.put(key, value, **unchanged))


def without_gap(leader: str, timeline: int, history: list[Any]) -> list[Any]:
    """What the leader records in the DCS. Patroni takes the last line for the timeline before the present one: members that have missed a
    failover are known by it, and where it is not, the same is recorded again in every loop."""
    if not history or history[-1][0] == timeline - 1:
        return history
    return [*history, (timeline - 1, history[-1][1], UNKNOWN, datetime.now(timezone.utc).isoformat(), leader)]


def forget_unused(postgresql: Any) -> None:
    """What was entered for a promotion that did not happen: a standby would look for WAL of the last timeline that it knows."""
    wal = Path(postgresql.wal_dir)
    current = postgresql.pg_control_timeline() or 0
    last = newest(wal, current)
    while last > current and (file := history_file(wal, last)).read_text().endswith(f"\t{UNKNOWN}\n"):
        file.unlink()
        last -= 1
