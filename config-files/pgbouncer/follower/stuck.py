"""Finds clients that keep a server connection without using it while others wait for one.

If the server ends a COPY (a duplicate key, a full disk) while data are still coming, PgBouncer waits for the client's end of the COPY, because the
client may still be sending. Clients built on libpq send none: they have read that the COPY is over. So they keep the server connection until they
disconnect, and a pool's worth of such clients leaves none to the others (tried with 1.24 and 1.26.1;
https://github.com/pgbouncer/pgbouncer/pull/1471 fixes it for clients that send it).

No client is disconnected for being slow: a client that sends, however slowly, has a newer request time in PgBouncer, and whether a client is in a
transaction or runs a statement is known from the server.

`python3 stuck.py` reads a JSON list of {pools, servers, kept, now} and prints the list of `holders(...)`, for tests.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

# How long others must have waited, and a client must have sent nothing, in seconds.
PATIENCE_SECONDS = 2.0

Row = dict[str, object]


@dataclass(frozen=True)
class Holder:
    """A client with a server connection, both silent since then."""

    client: str  # The `ptr` of SHOW CLIENTS.
    pid: int  # The server's process.
    request: str  # When the client last sent something.
    since: float


def short_of_servers(pools: list[Row]) -> set[str]:
    """Databases in which a client waits for a server connection. All roles of a database share its connection limit; a client that logs in waits in
    the pool of the lookup role (and `maxwait` does not count that)."""
    return {str(pool["database"]) for pool in pools if int(str(pool["cl_waiting"])) > 0}


def holders(databases: set[str], servers: list[Row], kept: list[Holder], now: float) -> list[Holder]:
    """All clients in these databases with a server connection, and since when; those of `kept` that have sent nothing meanwhile keep their time. A
    client that is found again and again has blocked others all that time."""
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
