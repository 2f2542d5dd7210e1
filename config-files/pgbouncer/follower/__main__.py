"""Points a PgBouncer at the leader (or at a replica), for as long as it runs.

    pool-follower CONFIGURATION           follows
    pool-follower --first CONFIGURATION   returns when there is something to point at, has written it, and clients may come

It looks (patroni.py, session.py), decides (decision.py) and executes; one line is logged for each change. SIGHUP: it starts anew with what the files
say by then.
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
# Without an event, everything is looked at again after this many seconds.
TICK = 0.2
PAUSING_TICK = 0.005
# For how long after a change clients on former targets are looked for.
STRAY_SECONDS = 10.0
# How often it is looked whether clients wait for servers that others keep.
STUCK_SECONDS = 0.5
# What the target's word on renewed connections was when ours were renewed last.
RENEWED = RUN / "renewed"
# What clients wait for, one a line, while a gate is closed.
CLOSED = RUN / "closed"


def log(message: str) -> None:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    print(f"{stamp}.{int(now * 1000) % 1000:03d} UTC pool-follower: {message}", file=sys.stderr, flush=True)


def write_databases(target: str, port: int) -> None:
    """Every database of the target, under its own name, so that no client can name one that is not there (CVE-2026-107350)."""
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
        # Once it shows, a RESUME cannot overtake it.
        until = time.monotonic() + 1
        while not self.paused() and time.monotonic() < until:
            time.sleep(0.002)

    def look(self) -> None:
        """Notices that the last transaction has ended."""
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
                # A leader waits for those that can pause clients; before PgBouncer runs there are none.
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
        """Waits for PgBouncer, and takes over from a follower before this one."""
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
        # Before PgBouncer runs there is nobody to hold: it is not started.
        return Seen(time.monotonic(), answers, session, lost, asked, freed, self.strays(), () if self.first else closed)

    def show_closed(self, closed: tuple[str, ...]) -> None:
        if closed == self.closed:
            return
        if closed:
            CLOSED.write_text("\n".join(closed) + "\n")
            log(f"lets nobody in: clients wait for {', '.join(closed)}")
        else:
            CLOSED.unlink(missing_ok=True)
        self.closed = closed

    def look_elsewhere(self) -> None:
        """A member that is new may lead before the files here name it: on Kubernetes they are a minute or two old. The others know it. That it is
        one of ours it proves with its certificate, and that it leads by its own word and a session, as any other."""
        if self.state.best is not None:
            return
        known = {member.address for member in self.members}
        for address in {member.elsewhere for member in self.members} - known - {None}:
            log(f"{address} leads, say the others: it is new here")
            found = self.member(address)
            self.members.append(found)
            found.start()

    def strays(self) -> tuple[Stray, ...]:
        """Clients in a transaction on a former target. Idle connections go by themselves, busy ones when their transaction ends; one that
        waits for a frozen server, or for a replica to confirm a commit that none will, ends never."""
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
            log(f"holds: {value}")
            self.pool.hold()
        elif kind == "resume":
            self.pool.resume()
            log(f"goes on: {value}")
        elif kind == "evict":
            ids = {str(row["ptr"]): row["id"] for row in self.pool.run("SHOW CLIENTS")}
            for client in value:
                if client in ids:
                    log(f"cuts off a client whose statement does not end on a former target (id {ids[client]})")
                    self.pool.run(f"KILL_CLIENT {ids[client]}")

    def renew(self) -> None:
        """Rights are checked when a connection is made. So it is made anew when they have changed, as soon as its transaction has ended."""
        said = self.session.renewal
        if said is None or said == self.renewed:
            return
        self.pool.run("RECONNECT")
        if self.renewed is not None:
            log(f"makes every connection anew: {said}")
        self.renewed = said
        RENEWED.write_text(said)

    def cut_stuck(self) -> None:
        """Cuts off those who keep servers without using them while others wait: see stuck.py."""
        now = time.monotonic()
        answer, self.session.at_work = self.session.at_work, None
        if answer is not None:
            pids, working = answer
            idle = [holder for holder in stuck.overdue(self.holders, now) if holder.pid in pids and holder.pid not in working]
            rows = {str(row["ptr"]): row for row in self.pool.run("SHOW CLIENTS")} if idle else {}
            for holder in idle:
                row = rows.get(holder.client)
                if row is not None and row["link"]:
                    log(f"cuts off a client of {row['user']} that keeps a server without using it while others wait (id {row['id']})")
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
        # Only what was executed is remembered: after an error the same is decided again.
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
            # While it holds, the target is expected to be away.
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
                log("waits for a leader: " + ", ".join(f"{member.address} ({member.failure})" for member in self.members))
                waiting += 10
            # While it holds for somebody who leads, that is all that matters. Where nobody does, whoever leads may be new in the files.
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
