"""Finds clients that keep a server without using it, while others wait for one.

A COPY that the server ends (a duplicate, a full disk) while data are still coming leaves PgBouncer waiting for the client's last word of it,
since the client may be sending still. Clients built on libpq say none: they have read that the COPY is over. So the server stays theirs until
they leave, and a pool's worth of such clients leaves nothing to the others (tried with 1.24 and 1.26.1;
https://github.com/pgbouncer/pgbouncer/pull/1471 mends it for those that say it).

Nobody is cut off for being slow: whoever sends, however slowly, makes another request by PgBouncer's clock, and whoever is in a transaction or
at work is that by the server's own word.

`python3 stuck.py` reads a JSON list of {pools, servers, kept, now} and prints the list of `holders(...)`: that is how it is tested.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

# For how long others must have waited, and a client must have sent nothing, in seconds.
PATIENCE_SECONDS = 2.0

Row = dict[str, object]


@dataclass(frozen=True)
class Holder:
    """A client with a server, neither of which has said anything since."""

    client: str  # As SHOW CLIENTS names it in `ptr`.
    pid: int  # The server's process.
    request: str  # When the client last sent something.
    since: float


def short_of_servers(pools: list[Row]) -> set[str]:
    """Databases in which somebody waits for a server. All roles of a database share its limit of connections; whoever is logging in waits in
    the pool of the role that looks passwords up (and `maxwait` does not count that)."""
    return {str(pool["database"]) for pool in pools if int(str(pool["cl_waiting"])) > 0}


def holders(databases: set[str], servers: list[Row], kept: list[Holder], now: float) -> list[Holder]:
    """Everybody in these databases who has a server, with since when; those of `kept` who have sent nothing meanwhile keep that. Whoever is
    looked for again and again has been in the way of others all that time."""
    before = {(holder.client, holder.pid, holder.request): holder for holder in kept}
    found = []
    for row in servers:
        if row["state"] != "active" or not row["link"] or str(row["database"]) not in databases:
            continue
        holder = Holder(str(row["link"]), int(str(row["remote_pid"])), str(row["request_time"]), now)
        found.append(before.get((holder.client, holder.pid, holder.request), holder))
    return found


def overdue(found: list[Holder], now: float) -> list[Holder]:
    return [holder for holder in found if now - holder.since >= PATIENCE_SECONDS]


if __name__ == "__main__":
    answers = []
    for case in json.load(sys.stdin):
        found = holders(short_of_servers(case["pools"]), case["servers"], [Holder(**kept) for kept in case["kept"]], case["now"])
        answers.append({"found": [asdict(holder) for holder in found], "overdue": [holder.client for holder in overdue(found, case["now"])]})
    json.dump(answers, sys.stdout)
