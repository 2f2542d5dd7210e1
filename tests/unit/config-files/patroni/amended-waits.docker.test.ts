import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** The amended Patroni of the image, on a clock that stands still but for sleeps. */
const PREAMBLE = `
import ast, inspect, json, sys, time
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
import amendments
import patroni.ha, patroni.postgresql
SOURCES = {module.__name__: inspect.getsource(module) for module in (patroni.ha, patroni.postgresql)}
amendments.apply()

slept = []
time.sleep = slept.append
time.monotonic = lambda: sum(slept)
def after(looks, then, before):
    """Says the one for so many looks, and then the other."""
    seen = []
    def look(*_):
        seen.append(None)
        return then if len(seen) > looks else before
    return look
member = lambda name: SimpleNamespace(leader=SimpleNamespace(name=name))
`;

describeWithImage("what Patroni waits for ends its waits (H1)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);

  test("the lease is given back as soon as PostgreSQL has ended, whose replicas have everything then", () => {
    expect(
      printed(`
def demote(looks):
    self = SimpleNamespace(state_handler=SimpleNamespace(is_running=after(looks, None, object())))
    def on_shutdown():
        patroni.ha.time.sleep(1)
        return self
    del slept[:]
    on_shutdown()
    return round(sum(slept), 1)
print(json.dumps([demote(3), demote(1000)]))`),
    ).toEqual([0.3, 1]);
  });

  test("a leader that was demoted follows as soon as another leads", () => {
    expect(
      printed(`
def demote(*answers):
    looks = iter(answers)
    def get_cluster():
        answer = next(looks)
        if isinstance(answer, Exception):
            raise answer
        return answer
    self = SimpleNamespace(dcs=SimpleNamespace(get_cluster=get_cluster), state_handler=SimpleNamespace(name="a"))
    del slept[:]
    patroni.ha.time.sleep(2)
    return round(sum(slept), 1), self.state_handler.name
none, own = SimpleNamespace(leader=None), member("a")
print(json.dumps([demote(Exception("etcd is away"), none, own, member(""), member("b"))[0], demote(*[none] * 30)[0]]))`),
    ).toEqual([0.4, 2]);
  });

  test("PostgreSQL is looked at ten times a second while it starts, stops and is promoted", () => {
    expect(
      printed(`
patroni.postgresql.time.sleep(1)
patroni.postgresql.time.sleep(0.01)
next(loop := patroni.postgresql.polling_loop(5)), next(loop)
print(json.dumps([slept, patroni.postgresql.STOP_POLLING_INTERVAL]))`),
    ).toEqual([[0.1, 0.01, 0.1], 0.1]);
  });

  test("a recovery that takes long is looked at once a second: each look is a line in PostgreSQL's log", () => {
    expect(
      printed(`
def wait_for_startup(self):
    patroni.postgresql.time.sleep(1)
for seconds in (2.9, 3.1):
    wait_for_startup(SimpleNamespace(time_in_state=lambda: seconds))
print(json.dumps(slept))`),
    ).toEqual([0.1, 1]);
  });

  test("other sleeps are as long as they were, and this version of Patroni has those that were amended", () => {
    expect(
      printed(`
def sleeps(module):
    found = []
    def visit(node, function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            found.append(f"{function} {ast.unparse(node.args[0])}")
        for child in ast.iter_child_nodes(node):
            visit(child, function)
    visit(ast.parse(SOURCES[module]), "")
    return sorted(found)
def _process_quorum_replication():
    patroni.ha.time.sleep(1)
_process_quorum_replication()
print(json.dumps([slept, patroni.ha.time.time() > 0, sleeps("patroni.ha"), sleeps("patroni.postgresql")]))`),
    ).toEqual([
      [1],
      true,
      [
        "_on_shutdown 1",
        "_process_multisync_replication 2",
        "_process_quorum_replication 1",
        "demote 2",
        "on_shutdown 1",
        "process_unhealthy_cluster 2",
        "should_run_scheduled_action max(delta, 0)",
      ],
      [
        "_do_stop STOP_POLLING_INTERVAL",
        "_wait_for_connection_close STOP_POLLING_INTERVAL",
        "wait_for_startup 1",
      ],
    ]);
  });
});
