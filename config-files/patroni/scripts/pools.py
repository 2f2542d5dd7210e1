"""Holds the clients of the pools for a moment, so that no transaction is open during an operation that would break it.

Every pool of the leader keeps a session here (application name `pool-follower ...`) and listens. It is notified to hold, with a reason; once it
holds, it sets its application name to `pool-follower paused`. When all of them are paused, no transaction is open.
A pool obeys only a superuser and checks that in the sender's session, so that session stays open until the pool has had time to look.
Holding is best effort and never blocks the caller: it waits three seconds for transactions to end, and its failures are only logged. It waits
longer for commits that a replica has yet to confirm: a stop ends those sessions without an answer, so that the client does not know whether it
committed.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, closing

import psycopg2
import watchdog
from pins import SUPERUSER_PINS, options

PATIENCE_SECONDS = 3.0
# How long to wait for commits. A client that waits ten seconds is still there when the next leader is, and a pool releases its clients by itself
# after fifteen.
COMMITS_SECONDS = 8.0
# With less time than this left to renew its lease, a leader does not wait any longer: its stop may take five seconds of it (patroni.ts).
LEASE_SECONDS = 6.0
# How long `release` waits for the pools to continue.
RELEASE_SECONDS = 0.5
POLL_SECONDS = 0.01

# By database, because a notification reaches only sessions of its database. Any session can choose its application name, so check the role, too.
FOLLOWERS = """
    SELECT datname, count(*), count(*) FILTER (WHERE application_name = 'pool-follower paused')
      FROM pg_catalog.pg_stat_activity
     WHERE usename = 'pool_auth' AND application_name LIKE 'pool-follower%' AND NOT pg_catalog.pg_is_in_recovery()
     GROUP BY datname
"""

# Whether a replica still streams does not matter: one that was silent for `wal_sender_timeout` reconnects.
COMMITS_WAIT = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'IPC' AND wait_event = 'SyncRep')"


def patience(commits_wait: bool, left: float | None) -> float:
    """How many seconds to wait for transactions; `left`: seconds until the lease must be renewed, None without a watchdog."""
    return COMMITS_SECONDS if commits_wait and left is not None and left > LEASE_SECONDS else PATIENCE_SECONDS


def left_of_lease() -> float | None:
    try:
        return watchdog.Watchdog(os.environ[watchdog.ENVIRONMENT]).left
    except (KeyError, OSError):
        return None


def commits_wait(cursor) -> bool:
    cursor.execute(COMMITS_WAIT)
    return cursor.fetchone()[0]


def open_session(database: str = "postgres"):
    # NOTIFY is a commit: without the replicas it would wait for them.
    own = f"{options(SUPERUSER_PINS)} -c synchronous_commit=local -c statement_timeout=2000"
    connection = psycopg2.connect(
        host="/run/postgresql", user="postgres", dbname=database, connect_timeout=1, options=own, application_name="pool-pause"
    )
    connection.autocommit = True
    return connection


def followers(cursor) -> list[tuple[str, int, int]]:
    cursor.execute(FOLLOWERS)
    return cursor.fetchall()


def tell(word: str, reason: str, databases: list[str], senders: ExitStack) -> None:
    """Notifies the pools. The sending sessions stay open until `senders` is closed."""
    for database in databases:
        session = senders.enter_context(closing(open_session(database)))
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.pg_notify('pool_control', %s)", (f"{word} {reason}",))


def hold(reason: str) -> str:
    """Holds the clients until there is another leader, until `release` with the same reason, or for 15 s. Returns the outcome."""
    began = time.monotonic()
    with ExitStack() as senders, closing(open_session()) as session, session.cursor() as cursor:
        there = followers(cursor)
        tell("hold", reason, [database for database, _, _ in there], senders)
        while True:
            pools, paused = (sum(row[column] for row in there) for column in (1, 2))
            waited = time.monotonic() - began
            if paused == pools or (waited >= PATIENCE_SECONDS and waited >= patience(commits_wait(cursor), left_of_lease())):
                return f"{paused} of {pools} paused after {waited:.2f} s"
            time.sleep(POLL_SECONDS)
            there = followers(cursor)


def release(reason: str) -> str:
    began = time.monotonic()
    with ExitStack() as senders, closing(open_session()) as session, session.cursor() as cursor:
        there = followers(cursor)
        tell("release", reason, [database for database, _, _ in there], senders)
        # Do not wait for a pool that another reason still holds: the timeout ends the loop.
        while sum(paused for _, _, paused in there) > 0 and time.monotonic() - began < RELEASE_SECONDS:
            time.sleep(POLL_SECONDS)
            there = followers(cursor)
    return "released"


def quietly(step, reason: str) -> None:
    """Runs `hold` or `release` and logs the outcome."""
    try:
        print(f"pools, {reason}: {step(reason)}", file=sys.stderr)
    except psycopg2.Error as error:
        print(f"pools, {reason}: cannot {step.__name__} them: {error}", file=sys.stderr)
