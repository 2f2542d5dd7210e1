"""Holds the clients of the pools for a moment, so that no transaction is open while something is done that would break it.

Every pool of the leader keeps a session here (application name `pool-follower ...`) and listens. It is told to hold, and for what;
when it has, its session is called `pool-follower paused`. With all of them paused no transaction is open.
A pool believes only a superuser, which it sees by the sender's session: that stays open until the pool has had the time to look.
It is a courtesy and never an obstacle: it waits three seconds for transactions to end, and no failure of it is one of its caller. For commits
that a replica has yet to confirm it waits for longer: a stop ends those sessions with no answer, so that nobody knows whether they are there.
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
# For how long commits are waited for. A client that waits for ten seconds is still there when the next leader is, and a pool goes on by
# itself after fifteen.
COMMITS_SECONDS = 8.0
# With less time than this until its lease must have been renewed, a leader waits no longer: its stop may take five seconds of it (patroni.ts).
LEASE_SECONDS = 6.0
# For how long whoever takes a pause back waits for the pools to go on.
RELEASE_SECONDS = 0.5
POLL_SECONDS = 0.01

# By database: what is notified in one is heard in that one only. Anybody may call a session what they like, so the role counts, too.
FOLLOWERS = """
    SELECT datname, count(*), count(*) FILTER (WHERE application_name = 'pool-follower paused')
      FROM pg_catalog.pg_stat_activity
     WHERE usename = 'pool_auth' AND application_name LIKE 'pool-follower%' AND NOT pg_catalog.pg_is_in_recovery()
     GROUP BY datname
"""

# Whether a replica still streams does not matter: one that was silent for `wal_sender_timeout` comes back.
COMMITS_WAIT = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE wait_event_type = 'IPC' AND wait_event = 'SyncRep')"


def patience(commits_wait: bool, left: float | None) -> float:
    """Seconds for which transactions are waited for; `left`: until the lease must have been renewed, None where none is watched."""
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
    # NOTIFY is a commit: with the replicas gone it would wait for them.
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
    """The sessions that said it are left to `senders`."""
    for database in databases:
        session = senders.enter_context(closing(open_session(database)))
        with session.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.pg_notify('pool_control', %s)", (f"{word} {reason}",))


def hold(reason: str) -> str:
    """Until something else leads, until `release` for the same reason, or for 15 s. Returns what came of it."""
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
        # One that has another reason, too, goes on waiting: that is not waited for.
        while sum(paused for _, _, paused in there) > 0 and time.monotonic() - began < RELEASE_SECONDS:
            time.sleep(POLL_SECONDS)
            there = followers(cursor)
    return "they need not wait any more"


def quietly(step, reason: str) -> None:
    """Takes one of the steps above and tells the log how it went."""
    try:
        print(f"pools, {reason}: {step(reason)}", file=sys.stderr)
    except psycopg2.Error as error:
        print(f"pools, {reason}: cannot {step.__name__} them: {error}", file=sys.stderr)
