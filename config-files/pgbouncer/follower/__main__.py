"""Points a PgBouncer at the leader (or at a replica), for as long as it runs.

    pool-follower CONFIGURATION           follows
    pool-follower --first CONFIGURATION   returns once it has written a target and clients may connect

It observes (patroni.py, session.py), decides (decision.py) and executes; each change is logged as one line. On SIGHUP it restarts with the
current files.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import threading
import time
from pathlib import Path

import psycopg2

import agent
import mistakes
import resolver
import stuck
from console import SOCKET_DIRECTORY, Console, Pause
from decision import Hold, Rules, Seen, State, Stray, decide
from patroni import Member
from ports import PORTS
from session import FOLLOWING, PAUSED, READING, Gate, TargetSession

CA_FILE = "/secrets/tls/ca.crt"
PASSWORD_FILE = "/secrets/pgbouncer/pool_auth-password"
RUN = Path(SOCKET_DIRECTORY)
# Without an event, everything is checked again after this many seconds.
TICK = 0.2
PAUSING_TICK = 0.005
# How long after a change clients on former targets are looked for.
STRAY_SECONDS = 10.0
# How often to check whether clients wait for server connections that others keep unused.
STUCK_SECONDS = 0.5
# The target's renewal marker at our last RECONNECT.
RENEWED = RUN / "renewed"
# What clients wait for, one per line, while a gate is closed.
CLOSED = RUN / "closed"


def log(message: str) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    print(f"{stamp}.{int(now * 1000) % 1000:03d} UTC pool-follower: {message}", file=sys.stderr, flush=True)


def write_databases(target: str, port: int) -> None:
    """Every database of the target, under its own name, so that clients cannot name one that does not exist (CVE-2026-107350)."""
    text = f"[databases]\n* = host={target} port={port}\n"
    new = RUN / "databases.ini.new"
    new.write_text(text)
    new.rename(RUN / "databases.ini")


class Pool:
    """The PgBouncer beside the follower."""

    def __init__(self, port: int) -> None:
        self.console = Console(port)
        self.port = port
        self.pause: Pause | None = None
        self.held = False

    def run(self, command: str) -> list[dict[str, object]]:
        return self.console.run(command)

    def paused(self) -> bool:
        return any(row["key"] == "paused" and row["value"] == "yes" for row in self.run("SHOW STATE"))

    def hold(self) -> None:
        if self.paused():
            return
        self.pause = Pause(self.port)
        # Once PAUSE is visible, a RESUME cannot overtake it.
        until = time.monotonic() + 1
        while not self.paused() and time.monotonic() < until:
            time.sleep(0.002)

    def look(self) -> None:
        """Checks whether the last transaction has ended."""
        if self.pause is not None and not self.held:
            self.held = self.pause.done()

    def resume(self) -> None:
        if self.pause is not None:
            self.pause.close()
        self.pause, self.held = None, False
        if self.paused():
            self.run("RESUME")


class Follower:
    def __init__(self, configuration: dict, first: bool) -> None:
        self.first = first
        self.rules = Rules(configuration["mode"], int(os.environ.get("REPLICA_ORDINAL", "0")))
        self.postgres_port = configuration["postgresPort"]
        self.happened = threading.Event()
        self.again = threading.Event()
        context = ssl.create_default_context(cafile=CA_FILE)

        def member(address: str) -> Member:
            lag = configuration["maximumReplicaLagBytes"]
            return Member(address, configuration["patroniPort"], lag, self.rules.mode, context, self.happened.set)

        self.member = member
        self.members = [member(known["address"]) for known in configuration["members"]]
        self.session: TargetSession | None = None
        gates = tuple(Gate(gate["condition"], gate["waitsFor"]) for gate in configuration.get("gates", []))
        writing = self.rules.mode == "primary"
        if gates or not first:
            password = Path(PASSWORD_FILE).read_text().strip()
            self.session = TargetSession(
                self.postgres_port,
                configuration["database"],
                configuration["user"],
                password,
                CA_FILE,
                writing,
                # A leader that stops waits for sessions that can pause clients; before PgBouncer runs there are no clients.
                FOLLOWING if writing and not first else READING,
                gates,
                self.happened.set,
            )
        self.pool = Pool(PORTS["pool"])
        self.state = State()
        self.session_failure = ""
        self.show_life_at = 0.0
        self.strays_until = 0.0
        self.stray_since: dict[str, float] = {}
        self.renewed = RENEWED.read_text() if RENEWED.exists() else None
        self.closed: tuple[str, ...] = ()
        self.holders: list[stuck.Holder] = []
        self.look_for_stuck_at = 0.0

    def adopt(self) -> None:
        """Waits for PgBouncer, and continues after a former follower."""
        while True:
            try:
                if self.pool.paused():
                    self.state = State(hold=Hold((), time.monotonic(), True))
                return
            except psycopg2.Error:
                time.sleep(0.05)

    def seen(self) -> Seen:
        lost, asked, freed, session, closed = None, (), (), None, ()
        if self.session is not None:
            lost, asked, freed = self.session.take_events()
            session, closed = self.session.current, self.session.closed
        answers = {member.address: member.answer for member in self.members}
        self.show_closed(closed)
        # Before PgBouncer runs there are no clients to pause.
        return Seen(time.monotonic(), answers, session, lost, asked, freed, self.strays(), () if self.first else closed)

    def show_closed(self, closed: tuple[str, ...]) -> None:
        if closed == self.closed:
            return
        if closed:
            CLOSED.write_text("\n".join(closed) + "\n")
            log(f"not open: clients wait for {', '.join(closed)}")
        else:
            CLOSED.unlink(missing_ok=True)
        self.closed = closed

    def look_elsewhere(self) -> None:
        """A new member may lead before the files here contain it: on Kubernetes they may be a minute or two old. The other members know it. Its
        certificate proves that it belongs to the cluster; that it leads is checked like for any other member."""
        if self.state.best is not None:
            return
        known = {member.address for member in self.members}
        for address in {member.elsewhere for member in self.members} - known - {None}:
            log(f"{address} is the leader according to other members, and not in the configuration: asking it, too")
            found = self.member(address)
            self.members.append(found)
            found.start()

    def strays(self) -> tuple[Stray, ...]:
        """Clients in a transaction on a former target. Idle connections close by themselves, active ones when their transaction ends; but one that
        waits for a frozen server, or for a commit that no replica will confirm, never ends."""
        now = time.monotonic()
        if now > self.strays_until:
            return ()
        links = {
            str(row["link"]): str(row["ptr"])
            for row in self.pool.run("SHOW SERVERS")
            if row["link"] and row["state"] == "active" and row["close_needed"]
        }
        self.stray_since = {link: self.stray_since.get(link, now) for link in links}
        return tuple(Stray(link, now - since) for link, since in self.stray_since.items())

    def execute(self, action: tuple[str, object]) -> None:
        kind, value = action
        if kind == "point":
            log(f"points at {value}")
            write_databases(value, self.postgres_port)
            if not self.first:
                self.pool.run("RELOAD")
                if self.state.target not in (None, value):
                    self.strays_until = time.monotonic() + STRAY_SECONDS
        elif kind == "hold":
            log(f"pausing: {value}")
            self.pool.hold()
        elif kind == "resume":
            self.pool.resume()
            log(f"resuming on {value}")
        elif kind == "evict":
            ids = {str(row["ptr"]): row["id"] for row in self.pool.run("SHOW CLIENTS")}
            for client in value:
                if client in ids:
                    log(f"disconnecting a client whose statement does not end on a former target (id {ids[client]})")
                    self.pool.run(f"KILL_CLIENT {ids[client]}")

    def renew(self) -> None:
        """Privileges are checked at login. So connections are renewed when privileges have changed, each once its transaction has ended."""
        said = self.session.renewal
        if said is None or said == self.renewed:
            return
        self.pool.run("RECONNECT")
        if self.renewed is not None:
            log(f"renewing all server connections: {said}")
        self.renewed = said
        RENEWED.write_text(said)

    def cut_stuck(self) -> None:
        """Disconnects clients that keep servers without using them while others wait: see stuck.py."""
        now = time.monotonic()
        answer, self.session.at_work = self.session.at_work, None
        if answer is not None:
            pids, working = answer
            idle = [holder for holder in stuck.overdue(self.holders, now) if holder.pid in pids and holder.pid not in working]
            rows = {str(row["ptr"]): row for row in self.pool.run("SHOW CLIENTS")} if idle else {}
            for holder in idle:
                row = rows.get(holder.client)
                if row is not None and row["link"]:
                    log(f"disconnecting a client of {row['user']} that keeps a server without using it while others wait (id {row['id']})")
                    self.pool.run(f"KILL_CLIENT {row['id']}")
            self.holders = [holder for holder in self.holders if holder not in idle]
        if now < self.look_for_stuck_at:
            return
        self.look_for_stuck_at = now + STUCK_SECONDS
        databases = stuck.short_of_servers(self.pool.run("SHOW POOLS"))
        self.holders = stuck.holders(databases, self.pool.run("SHOW SERVERS"), self.holders, now) if databases else []
        pids = tuple(holder.pid for holder in stuck.overdue(self.holders, now))
        if pids:
            self.session.ask_who_works(pids)

    def step(self) -> None:
        state, actions = decide(self.rules, self.state, self.seen())
        for action in actions:
            self.execute(action)
        # The state is stored only after all actions succeeded: after an error the same is decided again.
        self.state = state
        self.look_elsewhere()
        for member in self.members:
            member.hurry.set() if state.hurry else member.hurry.clear()
        self.pool.look()
        if self.session is not None:
            self.session.aim(state.best or state.target, state.hurry)
        if self.session is not None and not self.first:
            self.session.announce(PAUSED if self.pool.held else FOLLOWING)
            if state.hold is None and self.session.current is not None:
                self.renew()
                self.cut_stuck()
            # While the pool is paused, the target is expected to be away.
            if state.hold is None and self.session.failure != self.session_failure:
                self.session_failure = self.session.failure
                if self.session_failure:
                    log(f"no session with {state.best or state.target}: {self.session_failure}")
        if not self.first and time.monotonic() >= self.show_life_at:
            self.pool.run("SHOW VERSION")
            (RUN / "follower.alive").touch()
            self.show_life_at = time.monotonic() + 1

    def may_come(self) -> bool:
        return self.session is None or not self.session.closed

    def run(self) -> None:
        for member in self.members:
            member.start()
        if not self.first:
            self.adopt()
        if self.session is not None:
            self.session.start()
        waiting = time.monotonic() + 10
        while not (self.first and self.state.target and self.may_come()):
            pausing = self.pool.pause is not None and not self.pool.held
            self.happened.wait(PAUSING_TICK if pausing else TICK)
            self.happened.clear()
            try:
                self.step()
            except (psycopg2.Error, OSError) as error:
                log(f"the pool's console: {str(error).strip()}")
                time.sleep(0.2)
            if self.first and self.state.target is None and time.monotonic() > waiting:
                log("waiting for a leader: " + ", ".join(f"{member.address} ({member.failure})" for member in self.members))
                waiting += 10
            # While it is paused with a leader in sight, do not restart. Without one, the new files may contain the leader.
            if self.again.is_set() and (self.state.hold is None or self.state.best is None):
                os.execv(sys.executable, [sys.executable, *sys.argv])


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--first"]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    mistakes.watch()
    configuration = json.loads(Path(arguments[0]).read_text())
    follower = Follower(configuration, "--first" in sys.argv)
    if not follower.first:
        resolver.serve()
        agent.serve(configuration["agentPort"])
        (RUN / "follower.pid").write_text(str(os.getpid()))

        def again(*_) -> None:
            follower.again.set()
            follower.happened.set()

        signal.signal(signal.SIGHUP, again)
    follower.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
