import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** Coordinators' Patroni of the image, with a `pg_dist_node` that answers from a list and keeps what is asked of it. */
const PREAMBLE = `
import json, re, sys
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
from unittest import mock
import amendments, pools
from amendments import citus_stop
from patroni.postgresql.mpp.citus import CitusHandler
amendments.apply()

class Nodes:
    rows = [(0, "c", 5432, "primary", 1), (1, "a", 5432, "primary", 2), (1, "b", 5432, "secondary", 3)]
    asked = []
    readable = True
    deadlocks = 0
    def query(self, sql, *params):
        if "FROM pg_catalog.pg_dist_node" in sql:
            if not self.readable:
                raise Exception("no answer")
            return self.rows
        self.asked.append([re.sub(r".*citus_(\\w+)\\(.*", r"\\1", sql), *params])
        if "update_node" in sql and self.deadlocks > 0:
            self.deadlocks -= 1
            raise Exception("deadlock detected")
        if "update_node" in sql and params[0] not in [row[4] for row in self.rows]:
            raise Exception("node not found")
        return [(9,)]
    def close(self):
        self.asked.append(["close"])

nodes = Nodes()
pools.hold = lambda reason: nodes.asked.append(["hold"])
pools.release = lambda reason: nodes.asked.append(["release"])
with mock.patch("threading.Thread.start"):
    handler = CitusHandler(mock.Mock(connection_string="postgres://c:5432/app"), {"group": 0, "database": "app"})
handler._connection = nodes
handler._postgresql.name = "c"

def member(name, role):
    return SimpleNamespace(name=name, conn_url=f"postgres://{name}:5432/app", noloadbalance=False, is_running=True,
                           data={"role": role, "state": "running"})
def group(leader, *others, leaves=False):
    parameters = {"citus.recover_2pc_interval": "-1"} if leaves else {}
    return SimpleNamespace(leader=member(leader, "primary"), config=SimpleNamespace(data={"postgresql": {"parameters": parameters}}), members=[member(leader, "primary"), *[member(o, "replica") for o in others]])
def cluster(**workers):
    return SimpleNamespace(members=[member("c", "primary")], workers={int(k[1:]): v for k, v in workers.items()})
def loop(view):
    handler.sync_meta_data(view)
    handler.process_tasks()
def event(kind, leader, view):
    with mock.patch("patroni.postgresql.mpp.citus.PgDistTask.wait"):
        handler.handle_event(view, {"type": kind, "group": 1, "leader": leader, "timeout": 20, "cooldown": 3})
    handler.process_tasks()
def tell():
    print(json.dumps(nodes.asked))
`;

describeWithImage("the nodes of Citus and the amended Patroni (D2)", () => {
  const asked = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}\ntell()\n`);
  const holds = (standby: number): readonly unknown[] => [
    ["hold"],
    ["BEGIN"],
    ["update_node", 2, "a-demoted", 5432, 3000],
    ["release"],
    ["update_node", standby, "a", 5432, 3000],
    ["update_node", 2, "b", 5432, 3000],
    ["COMMIT"],
  ];
  const SWITCHOVER = `
event("before_demote", "a", cluster(_1=group("a", "b")))
event("before_promote", "b", cluster(_1=group("b", "a")))
event("after_promote", "b", cluster(_1=group("b", "a")))`;

  test("a switchover is one transaction, and clients are held until it has its locks", () => {
    expect(asked(`loop(cluster(_1=group("a", "b")))${SWITCHOVER}`)).toEqual(holds(3));
  });

  test("it still is one after somebody made a row again, under another id", () => {
    expect(
      asked(`loop(cluster(_1=group("a", "b")))\nnodes.rows[2] = (1, "b", 5432, "secondary", 7)${SWITCHOVER}`),
    ).toEqual(holds(7));
  });

  test("locks that ended in a deadlock are tried for again, with the clients still held", () => {
    const tries = (deadlocks: number): unknown =>
      asked(
        `loop(cluster(_1=group("a", "b")))\nnodes.deadlocks = ${deadlocks}\nevent("before_demote", "a", cluster(_1=group("a", "b")))`,
      );
    const locks = [["BEGIN"], ["update_node", 2, "a-demoted", 5432, 3000]];
    expect(tries(1)).toEqual([["hold"], ...locks, ["close"], ...locks, ["release"]]);
    const failed = [...locks, ["close"]];
    expect(tries(9)).toEqual([["hold"], ...failed, ...failed, ...failed, ["release"]]);
  });

  test("a group that left is registered when it comes back as it was", () => {
    expect(
      asked(`
nodes.rows.append((2, "d", 5432, "primary", 5))
loop(cluster(_1=group("a", "b"), _2=group("d")))
nodes.rows.pop()
loop(cluster(_1=group("a", "b")))
loop(cluster(_1=group("a", "b"), _2=group("d")))`),
    ).toEqual([["add_node", "d", 5432, 2, "primary"]]);
  });

  test("a group that is about to leave is not registered again", () => {
    expect(
      asked(`
loop(cluster(_1=group("a", "b")))
nodes.rows = nodes.rows[:1]
loop(cluster(_1=group("a", "b")))`),
    ).toEqual([]);
  });

  test("a switchover that nobody ends is given up at its deadline, though nothing else is to be changed", () => {
    expect(
      asked(`
import threading
view = cluster(_1=group("a", "b"))
gone = SimpleNamespace(leader=None, config=None, members=[])
loop(view)
handler._ready_to_run.set()
threading.Thread(target=handler.run, daemon=True).start()
def until(condition):
    for _ in range(3000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise TimeoutError
def stops(timeout):
    with mock.patch("patroni.postgresql.mpp.citus.PgDistTask.wait"):
        handler.handle_event(view, {"type": "before_demote", "group": 1, "leader": "a", "timeout": timeout, "cooldown": 3})
    until(lambda: handler._in_flight is not None)
stops(600)
handler.sync_meta_data(cluster(_1=gone))
nodes.asked.append(["kept", handler._in_flight is not None])
handler._in_flight.deadline = 1
handler.sync_meta_data(cluster(_1=gone))
until(lambda: handler._in_flight is None)`),
    ).toEqual([
      ["hold"],
      ["BEGIN"],
      ["update_node", 2, "a-demoted", 5432, 3000],
      ["release"],
      ["kept", true],
      ["ROLLBACK"],
    ]);
  });

  test("a group that leaves is not registered again when another one changes, and is when it is to stay", () => {
    expect(
      asked(`
nodes.rows.append((2, "d", 5432, "primary", 5))
loop(cluster(_1=group("a", "b"), _2=group("d")))
loop(cluster(_1=group("a", "b"), _2=group("d", leaves=True)))
nodes.rows.pop()
# Its standby has stopped: the nodes are looked at again.
loop(cluster(_1=group("a"), _2=group("d", leaves=True)))
nodes.rows = nodes.rows[:2]
loop(cluster(_1=group("a"), _2=group("d", leaves=True)))
nodes.asked.append(["to stay"])
loop(cluster(_1=group("a"), _2=group("d")))`),
    ).toEqual([["remove_node", "b", 5432], ["to stay"], ["add_node", "d", 5432, 2, "primary"]]);
  });

  test("who waits for a task hears of it when the leader is demoted, or that nobody will do it", () => {
    expect(
      asked(`
import threading
loop(cluster(_1=group("a", "b")))
def asks(timeout):
    handler.handle_event(cluster(_1=group("a", "b")), {"type": "before_demote", "group": 1, "leader": "a", "timeout": timeout, "cooldown": 3})
    nodes.asked.append(["answered"])
def asked_by(timeout):
    thread = threading.Thread(target=asks, args=(timeout,), daemon=True)
    thread.start()
    while not handler._tasks:
        thread.join(0.01)
    return thread
waits = asked_by(600)
handler.on_demote()
waits.join(60)
overridden = asked_by(0.1)
handler._tasks.clear()
overridden.join(60)`),
    ).toEqual([["answered"], ["answered"]]);
  });

  test("nodes that cannot be read are looked at again after a pause, or when there is something to do", () => {
    expect(
      asked(`
import threading, time
nodes.readable = False
with mock.patch.object(citus_stop, "LOOK_AGAIN_SECONDS", 0.2):
    began = time.monotonic()
    for _ in range(3):
        handler.load_pg_dist_group()
    nodes.asked.append(["paused", time.monotonic() - began >= 0.6])
with mock.patch.object(citus_stop, "LOOK_AGAIN_SECONDS", 600):
    looking = threading.Thread(target=handler.load_pg_dist_group, daemon=True)
    looking.start()
    while looking.is_alive():
        with handler._condition:
            handler._condition.notify()
        looking.join(0.01)
nodes.asked = [entry for entry in nodes.asked if entry != ["close"]] + [["went on"]]`),
    ).toEqual([["paused", true], ["went on"]]);
  });

  test("nothing is changed while the nodes cannot be read", () => {
    expect(
      asked(`
loop(cluster(_1=group("a", "b")))
nodes.readable = False
citus_stop.LOOK_AGAIN_SECONDS = 0.01
event("before_demote", "a", cluster(_1=group("a", "b")))`),
    ).toEqual([["hold"], ...[1, 2, 3].flatMap(() => [["BEGIN"], ["close"]]), ["release"], ["close"]]);
  });

  test("a node connects to itself by the socket, also before Patroni knows its own address", () => {
    expect(
      asked(`
parameters = {"max_prepared_transactions": 8, "unix_socket_directories": "/run/postgresql"}
handler._postgresql.connection_pool.conn_kwargs = {}
handler.adjust_postgres_gucs(parameters)
nodes.asked.append([parameters["citus.local_hostname"], parameters["shared_preload_libraries"]])`),
    ).toEqual([["/run/postgresql", "citus"]]);
  });
});
