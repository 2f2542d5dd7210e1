import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** Patroni's watchdog of the image, on a clock that stands still but for requests, which take 4 s. `left` says when process 1 would kill. */
const PREAMBLE = `
import json, logging, os, sys
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
import amendments, watchdog
logging.disable()
word = watchdog.Watchdog("/tmp/word", make=True)
os.environ["SUPERVISED_WATCHDOG"] = "/tmp/word"
clock = [1000 * watchdog.SECOND]
watchdog.now = lambda: clock[0]
amendments.apply()
from patroni.dcs.etcd3 import Etcd3
from patroni.ha import Ha
from patroni.watchdog.base import Watchdog

def takes(seconds, answer=None):
    def request(*_, **__):
        clock[0] += seconds * watchdog.SECOND
        return answer
    return request
class Dcs(Etcd3):
    _client = SimpleNamespace(lease_keepalive=takes(4, True))
    _lease, _last_lease_refresh, _loop_wait = "1", 0, 1
    def __init__(self):
        pass
dcs = Dcs()
def config(**over):
    return {"watchdog": {"mode": "required", "driver": "supervise", "safety_margin": 5, **over}, "ttl": 20, "loop_wait": 1}
dog = Watchdog(config())
def left():
    return word.left
`;

describeWithImage("Patroni's watchdog is process 1 (H1)", () => {
  const printed = (script: string): unknown =>
    runInPatroniImage(`${PREAMBLE}\nseen = []\n${script}\nprint(json.dumps(seen))`);

  test("its time counts from before the request that renewed the lease, and from no other moment", () => {
    expect(
      printed(`
dcs._do_refresh_lease(True)
seen.append(dog.activate())
seen.append(left())
takes(3)()
dog.keepalive()  # Nothing was renewed meanwhile: Patroni had another reason.
seen.append(left())
dcs._do_refresh_lease()  # It was a moment ago, so it is not renewed either.
dog.keepalive()
seen.append(left())
dcs._do_refresh_lease(True)
seen.append(left())  # Renewed by a thread beside the loop, which does not know whether this one leads.
dog.keepalive()
seen.append(left())`),
    ).toEqual([true, 11, 8, 8, 4, 11]);
  });

  test("without etcd it counts from before the members were asked, if all of them confirm", () => {
    expect(
      printed(`
dcs._do_refresh_lease(True)
dog.activate()
ha = SimpleNamespace(dcs=SimpleNamespace(failsafe={"a": "url"}), patroni=SimpleNamespace(api=SimpleNamespace(connection_string="")),
                     state_handler=SimpleNamespace(name="a", connection_string="", slots=takes(2)))
seen.append([Ha.check_failsafe_topology(ha), left()])
dog.keepalive()
seen.append(left())
ha.dcs.failsafe = {"b": "url"}
takes(2)()
seen.append(Ha.check_failsafe_topology(ha))
dog.keepalive()
seen.append(left())`),
    ).toEqual([[true, 9], 13, false, 11]);
  });

  test("it is off until it is armed, and when it is switched off; a longer lease counts from its first renewal", () => {
    expect(
      printed(`
dcs._do_refresh_lease(True)
dog.keepalive()
seen.append([left(), dog.is_running])
dog.activate()
seen.append([left(), dog.is_running])
dog.reload_config({**config(), "ttl": 30})
seen.append(left())
dcs._do_refresh_lease(True)
dog.keepalive()
seen.append(left())
dog.disable()
seen.append([left(), dog.is_running])`),
    ).toEqual([[null, false], [11, true], 11, 21, [null, false]]);
  });

  test("a member whose process 1 does not watch does not lead, and other drivers are Patroni's own", () => {
    expect(
      printed(`
seen.append(dog.is_healthy)
del os.environ["SUPERVISED_WATCHDOG"]
seen.append([dog.is_healthy, dog.activate()])
seen.append(type(Watchdog(config(driver="default")).impl).__name__)`),
    ).toEqual([true, [false, false], "LinuxWatchdogDevice"]);
  });
});

describeWithImage("an immediate stop (H1)", () => {
  test("runs nothing before it: the lease is gone, and another may lead", () => {
    expect(
      runInPatroniImage(`
import json, sys
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
import amendments
amendments.apply()
from patroni.postgresql import Postgresql
ran = []
class Server(SimpleNamespace):
    _before_stop = Postgresql._before_stop
def stop(mode):
    del ran[:]
    server = Server(is_running=lambda: SimpleNamespace(signal_stop=lambda *_: True), is_starting=lambda: False, set_state=lambda *_: None,
                    config={"before_stop": "hold"}, _do_before_stop=ran.append, pgcommand=str)
    Postgresql._do_stop(server, mode, False, False, None, None, None, None)
    return list(ran)
print(json.dumps([stop("fast"), stop("immediate")]))`),
    ).toEqual([["hold"], []]);
  });
});
