"""The follower's own session with the pool's target: it proves once a second that the target works, receives a leader's requests, and breaks the
moment the target dies.

Any role that may log in can NOTIFY. The server puts the sender's process id in a notification, and everybody can read in pg_stat_activity whose
process that is: only those of the superuser count. So a sender stays connected until it has been checked (the members' pools.py).
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
import psycopg2.extensions

from decision import Session

CHANNEL = "pool_control"
FOLLOWING = "pool-follower following"
PAUSED = "pool-follower paused"
# A leader that stops on purpose waits for sessions whose names begin with `pool-follower`; the follower of a read pool must not match.
READING = "read-pool-follower"

CONNECT_SECONDS = 2.0
RETRY_SECONDS = 0.1
CALM_RETRY_SECONDS = 1.0
# How often the target is asked whether it still has its role.
BEAT_SECONDS = 1.0

# The comment on our own role contains the last renewal of connections. The catalog is on every member, whereas LISTEN works on the leader only.
BEAT = """
    SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.shobj_description(oid, 'pg_authid')
      FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER
"""
# 10 is the OID of the bootstrap superuser, whatever its name; no other role can have it
# (https://github.com/postgres/postgres/blob/REL_17_STABLE/src/include/catalog/pg_authid.dat).
SENDERS = "SELECT pid FROM pg_catalog.pg_stat_activity WHERE pid = ANY (%s) AND usesysid = 10"
# A process that runs a statement or is in a transaction holds a lock on its virtual transaction ID; everybody can read pg_locks.
AT_WORK = "SELECT pid FROM pg_catalog.pg_locks WHERE pid = ANY (%s) AND locktype = 'virtualxid' AND mode = 'ExclusiveLock'"


@dataclass(frozen=True)
class Gate:
    """A condition for admitting clients: an SQL expression, evaluated as our role."""

    condition: str
    waits_for: str


class Unwanted(Exception):
    """The session should be with another member by now."""


class TargetSession(threading.Thread):
    """Keeps a session with the member that `aim` sets; with `writing`, it must accept writes. `on_event` is called in this thread when something
    happened: `current` is the current session, and `take_events` returns, once each, the member with which a proven session broke, the reasons
    of requested pauses, and the reasons that were withdrawn.
    """

    def __init__(
        self, port: int, dbname: str, user: str, password: str, ca_file: str, writing: bool, name: str, gates: tuple[Gate, ...],
        on_event: Callable[[], None],
    ) -> None:
        super().__init__(name="session", daemon=True)
        self.writing = writing
        self.options = {
            "port": port, "dbname": dbname, "user": user, "password": password, "application_name": name,
            "sslmode": "verify-full", "sslrootcert": ca_file, "gssencmode": "disable",
            "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 2000,
        }  # fmt: skip
        self.gates = gates
        # A gate is closed until it is known to be open. After that, a lost session does not close it.
        self.closed = tuple(gate.waits_for for gate in gates)
        self.on_event = on_event
        self.lock = threading.Lock()
        self.wake_reader, self.wake_writer = os.pipe()
        self.target: str | None = None
        self.announced = FOLLOWING
        self.hurry = True
        self.address: str | None = None
        self.answered_at = 0.0
        self.renewal: str | None = None
        self.question: tuple[int, ...] = ()
        self.at_work: tuple[tuple[int, ...], frozenset[int]] | None = None
        self.lost: str | None = None
        self.asked: set[str] = set()
        self.freed: set[str] = set()
        self.failure = ""

    @property
    def current(self) -> Session | None:
        with self.lock:
            return None if self.address is None else Session(self.address, time.monotonic() - self.answered_at)

    def ask_who_works(self, pids: tuple[int, ...]) -> None:
        """Asks the target which of its processes run a statement or are in a transaction; the answer, with the question, is in `at_work`."""
        with self.lock:
            self.question = pids
        self.wake()

    def aim(self, address: str | None, hurry: bool) -> None:
        with self.lock:
            changed = address != self.target or (hurry and not self.hurry)
            self.target, self.hurry = address, hurry
        if changed:
            self.wake()

    def announce(self, name: str) -> None:
        """Shows the leader, in pg_stat_activity, whether the pool is paused."""
        with self.lock:
            if self.announced == name:
                return
            self.announced = name
        self.wake()

    def take_events(self) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
        with self.lock:
            events = (self.lost, tuple(sorted(self.asked)), tuple(sorted(self.freed)))
            self.lost, self.asked, self.freed = None, set(), set()
        return events

    def wake(self) -> None:
        os.write(self.wake_writer, b"!")

    def run(self) -> None:
        while True:
            target = self.target
            connection = None
            if target is not None:
                try:
                    connection = self.connect(target)
                    self.follow(target, connection)
                except (psycopg2.Error, OSError, TimeoutError, Unwanted) as error:
                    self.broken(target, error)
                finally:
                    if connection is not None:
                        connection.close()
            self.sleep(RETRY_SECONDS if self.hurry and target is not None else CALM_RETRY_SECONDS, target)

    def broken(self, target: str, error: Exception) -> None:
        with self.lock:
            had = self.address
            self.address, self.question, self.at_work = None, (), None
            if had is not None and not isinstance(error, Unwanted):
                self.lost = target
        if not isinstance(error, Unwanted):
            self.failure = str(error).strip().replace("\n", " ")
        if had is not None:
            self.on_event()

    def sleep(self, seconds: float, target: str | None) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self.target == target:
            if select.select([self.wake_reader], [], [], left)[0]:
                os.read(self.wake_reader, 4096)

    def wait(self, target: str, connection: object, deadline: float) -> None:
        """Drives the connection until the operation is complete. Unlike libpq's blocking calls, it can be interrupted at any time."""
        while True:
            state = connection.poll()
            if state == psycopg2.extensions.POLL_OK:
                return
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{target} took too long")
            reads = [self.wake_reader] + ([connection] if state == psycopg2.extensions.POLL_READ else [])
            writes = [connection] if state == psycopg2.extensions.POLL_WRITE else []
            readable, _, _ = select.select(reads, writes, [], left)
            if self.wake_reader in readable:
                os.read(self.wake_reader, 4096)
                if self.target != target:
                    raise Unwanted

    def query(self, target: str, connection: object, statement: str, parameters: tuple = ()) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            self.wait(target, connection, time.monotonic() + CONNECT_SECONDS)
            return cursor.fetchall() if cursor.description is not None else []

    def connect(self, target: str) -> object:
        connection = psycopg2.connect(host=target, async_=True, **self.options)
        try:
            self.wait(target, connection, time.monotonic() + CONNECT_SECONDS)
            if self.writing:
                self.query(target, connection, f"LISTEN {CHANNEL}")
            self.take_beat(target, self.query(target, connection, BEAT))
            self.look_at_gates(target, connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def follow(self, target: str, connection: object) -> None:
        shown = FOLLOWING
        with self.lock:
            self.address, self.answered_at = target, time.monotonic()
            self.failure = ""
        self.on_event()
        # The query in progress. Do not block on it: `decide` judges a server that does not answer.
        beat, beat_at = None, time.monotonic() + BEAT_SECONDS
        while self.target == target:
            if beat is None:
                if self.writing and self.announced != shown:
                    shown = self.announced
                    self.query(target, connection, "SELECT set_config('application_name', %s, false)", (shown,))
                if self.question:
                    self.answer_who_works(target, connection)
                self.heard(target, connection)
                if time.monotonic() >= beat_at:
                    beat = connection.cursor()
                    beat.execute(BEAT)
                    beat_at = time.monotonic() + BEAT_SECONDS
            state = connection.poll()
            if beat is not None and state == psycopg2.extensions.POLL_OK:
                self.take_beat(target, beat.fetchall())
                beat = None
                self.look_at_gates(target, connection)
                continue
            if connection.notifies and beat is None:
                continue
            writes = [connection] if state == psycopg2.extensions.POLL_WRITE else []
            left = None if beat is not None else max(0.0, beat_at - time.monotonic())
            readable, _, _ = select.select([self.wake_reader, connection], writes, [], left)
            if self.wake_reader in readable:
                os.read(self.wake_reader, 4096)
        raise Unwanted

    def take_beat(self, target: str, rows: list[tuple]) -> None:
        in_recovery, renewal = rows[0]
        if self.writing and in_recovery:
            raise TimeoutError(f"{target} is still in recovery")
        with self.lock:
            self.answered_at, self.renewal = time.monotonic(), renewal or ""

    def look_at_gates(self, target: str, connection: object) -> None:
        closed = tuple(gate.waits_for for gate in self.gates if not self.is_open(gate, target, connection))
        if closed != self.closed:
            self.closed = closed
            self.on_event()

    def is_open(self, gate: Gate, target: str, connection: object) -> bool:
        """A condition that cannot be evaluated is not met: what it needs may not exist yet."""
        try:
            return self.query(target, connection, f"SELECT ({gate.condition}) IS TRUE")[0][0]
        except psycopg2.Error:
            if connection.closed:
                raise
            return False

    def answer_who_works(self, target: str, connection: object) -> None:
        with self.lock:
            pids, self.question = self.question, ()
        working = frozenset(pid for (pid,) in self.query(target, connection, AT_WORK, (list(pids),)))
        with self.lock:
            self.at_work = (pids, working)
        self.on_event()

    def heard(self, target: str, connection: object) -> None:
        """Takes the leader's requests; notifications from other roles are ignored."""
        if not connection.notifies:
            return
        said = [(notice.pid, *notice.payload.partition(" ")) for notice in connection.notifies]
        connection.notifies.clear()
        senders = sorted({pid for pid, verb, *_ in said if verb in ("hold", "release")})
        if not senders:
            return
        known = {pid for (pid,) in self.query(target, connection, SENDERS, (senders,))}
        words = [(verb, reason) for pid, verb, _, reason in said if pid in known]
        with self.lock:
            for verb, reason in words:
                # The last request per reason counts, even if an earlier one has not been taken yet.
                if verb == "hold":
                    self.asked.add(reason)
                    self.freed.discard(reason)
                elif verb == "release":
                    self.asked.discard(reason)
                    self.freed.add(reason)
        if words:
            self.on_event()
