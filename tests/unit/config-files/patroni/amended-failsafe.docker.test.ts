import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** The amended Patroni of the image: a member that was told by another one, a moment ago, that it goes on without etcd. */
const PREAMBLE = `
import json, logging, sys, time
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
import amendments
from patroni import global_config
from patroni.dcs import Cluster, Leader, Member, Status, SyncState
from patroni.ha import Failsafe, Ha
amendments.apply()
logging.disable(logging.CRITICAL)
global_config.update(None, {"failsafe_mode": True})

asked = []

def seen(answer, *, told_by="former", key=None, own_role="replica", meanwhile=None):
    """Whom the member takes for the leader, and who was asked. \`answer\` is what the other one's Patroni says, \`key\` who has the key in etcd."""
    def request(member, **_):
        asked.append(member.name)
        if meanwhile:
            ha._failsafe.update({"name": meanwhile, "conn_url": "", "api_url": "https://another"})
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(data=answer if isinstance(answer, bytes) else json.dumps(answer).encode())
    asked.clear()
    leader = Leader(7, "session", Member(7, key, "session", {})) if key else None
    cluster = Cluster(None, None, leader, Status.empty(), [], None, SyncState.empty(), None, None)
    dcs = SimpleNamespace(ttl=20, get_cluster=lambda: cluster)
    class Member_(Ha):
        def __init__(self): pass
        has_lock, set_is_leader = lambda *_: True, lambda *_: None
    ha = Member_()
    ha.dcs, ha.patroni, ha.old_cluster = dcs, SimpleNamespace(request=request), None
    ha.state_handler = SimpleNamespace(name="me", role=own_role)
    ha._failsafe = Failsafe(dcs)
    if told_by:
        ha._failsafe.update({"name": told_by, "conn_url": "", "api_url": "https://" + told_by})
    else:
        ha._failsafe.set_is_active(time.time())
    ha.load_cluster_from_dcs()
    return [ha.cluster.leader.name if ha.cluster.leader else None, list(asked)]
`;

describeWithImage("who hands over after a moment without etcd is followed at once (H1, H5)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);

  test("a member that says itself that it does not lead is not waited for", () => {
    expect(
      printed(
        `print(json.dumps([seen({"state": "stopped", "role": "demoted"}), seen({"state": "running", "role": "replica", "xlog": {}})]))`,
      ),
    ).toEqual([
      [null, ["former"]],
      [null, ["former"]],
    ]);
  });

  test("one that leads, that recovers from a crash, that goes on without etcd, or that nobody hears is still taken for the leader", () => {
    const answers = `[{"state": "running", "role": "primary"}, {"state": "starting", "role": "primary"}, {"state": "running", "role": "promoted"}, {"state": "running", "role": "replica", "failsafe_mode_is_active": True}, {}, b"<html>", TimeoutError()]`;
    expect(printed(`print(json.dumps([seen(answer) for answer in ${answers}]))`)).toEqual(
      Array.from({ length: 7 }, () => ["former", ["former"]]),
    );
  });

  test("another one that tells meanwhile that it leads without etcd is believed", () => {
    expect(
      printed(`print(json.dumps(seen({"state": "stopped", "role": "demoted"}, meanwhile="another")))`),
    ).toEqual(["another", ["former"]]);
  });

  test("nobody is asked while somebody has the key", () => {
    expect(printed(`print(json.dumps(seen(Exception("asked"), key="another")))`)).toEqual(["another", []]);
  });

  test("a former leader may take the key again, and one that leads goes on", () => {
    expect(
      printed(
        `print(json.dumps([seen(None, told_by=None, own_role=role) for role in ("demoted", "primary")]))`,
      ),
    ).toEqual([
      [null, []],
      ["", []],
    ]);
  });
});
