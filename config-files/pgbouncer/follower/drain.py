"""What a pool does before it is stopped: the entries send it no new sessions, and those that it has go on until their clients leave.

    pool-drain

DRAIN_SECONDS in its environment is how long it waits at most, in seconds; default 0, not at all. PgBouncer and the follower go on meanwhile,
so a leader may change. What PgBouncer itself has for this (SIGTERM) closes its port at once: the entries would take it for dead, and cut off
the sessions that are to go on.
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
# So many looks in a row must find nobody: a session may be on its way that an entry sent off before it heard.
LOOKS = 2
CONSOLE = "pgbouncer"


def count_clients(pools: list[dict[str, object]], lists: list[dict[str, object]]) -> int:
    """How many clients there are by `SHOW POOLS` and `SHOW LISTS`: those at work or waiting, those that ask to cancel a statement, and those
    that have not logged in yet. Whoever is at the console is none."""
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
                    log(f"{now} clients may go on for {deadline - time.monotonic():.0f} s")
                clients, empty = now, 0 if now > 0 else empty + 1
        except (OSError, psycopg2.Error) as error:
            log(str(error).strip())
        time.sleep(LOOK_SECONDS)
    if clients != 0:
        log(f"{clients if clients > 0 else 'nobody knows how many'} clients are cut off")


def main() -> int:
    seconds = float(os.environ.get("DRAIN_SECONDS", "0"))
    if seconds > 0:
        drain(seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
