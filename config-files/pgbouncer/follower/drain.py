"""What a pool does before it is stopped: the entries send it no new sessions, and existing ones continue until their clients disconnect.

    pool-drain

DRAIN_SECONDS in its environment limits the wait, in seconds; default 0: no wait. PgBouncer and the follower keep running meanwhile, so the
leader may change. PgBouncer's own way to do this (SIGTERM) closes its port at once: the entries would consider it down and close the sessions
that should continue.
"""

from __future__ import annotations

import os
import sys
import time

import psycopg2

from agent import DRAINING, everybody_knows
from console import Console
from ports import PORTS

LOOK_SECONDS = 0.1
# So many checks in a row must find no client: an entry may have sent off a session before it learned of the drain.
LOOKS = 2
CONSOLE = "pgbouncer"


def count_clients(pools: list[dict[str, object]], lists: list[dict[str, object]]) -> int:
    """How many clients there are by `SHOW POOLS` and `SHOW LISTS`: active and waiting ones, cancel requests, and those that have not logged in
    yet. Console clients do not count."""
    inside = sum(int(str(count)) for pool in pools if pool["database"] != CONSOLE for name, count in pool.items() if name.startswith("cl_"))
    return inside + sum(int(str(row["items"])) for row in lists if row["list"] == "login_clients")


def log(message: str) -> None:
    print(f"pool-drain: {message}", file=sys.stderr, flush=True)


def drain(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    DRAINING.touch()
    console = Console(PORTS["pool"])
    clients, empty = -1, 0
    while time.monotonic() < deadline and empty < LOOKS:
        try:
            if everybody_knows():
                now = count_clients(console.run("SHOW POOLS"), console.run("SHOW LISTS"))
                if now > 0 and clients < 0:
                    log(f"waiting up to {deadline - time.monotonic():.0f} s for {now} clients")
                clients, empty = now, 0 if now > 0 else empty + 1
        except (OSError, psycopg2.Error) as error:
            log(str(error).strip())
        time.sleep(LOOK_SECONDS)
    if clients != 0:
        log(f"disconnecting {clients if clients > 0 else 'an unknown number of'} clients")


def main() -> int:
    seconds = float(os.environ.get("DRAIN_SECONDS", "0"))
    if seconds > 0:
        drain(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
