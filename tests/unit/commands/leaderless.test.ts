import { dockerMembers } from "../../../components/reach/docker/cluster-members";
import { kubernetesMembers } from "../../../components/reach/kubernetes/cluster-members";
import { type GroupKeys, groupKeys, judgeLeaderless, type MemberKey } from "../../../commands/leaderless";

const runs = (xlog_location = 0x52b8ea8, timeline = 1): MemberKey => ({
  ...{ state: "running", xlog_location, timeline },
});
const membersIn = (states: Readonly<Record<string, string>>) =>
  Object.entries(states).map(([name, state]) => ({ name, state, status: state }));
const docker = dockerMembers("pg", "'make up STACK=demo'");
const judge = (keys: GroupKeys, states: Readonly<Record<string, string>>, on = docker): string => {
  const { seen, remedy } = judgeLeaderless(keys, membersIn(states), on);
  return `${seen} -> ${remedy}`;
};

/** Three members, of which `a` led, and one other must vote. */
const SYNC = { leader: "a", sync_standby: "b,c", quorum: 1 };

describe("doctor and status say what a group without a leader waits for, and what may be done (H4)", () => {
  test("two of three gone at once, the leader among them", () => {
    expect(
      judge(
        { sync: SYNC, members: { c: runs() }, position: 0x52a7e08 },
        { a: "exited", b: "exited", c: "running" },
      ),
    ).toBe(
      "nobody leads, because acknowledged writes could be lost: of the 3 members that may have acknowledged writes (a, b, c), only c is available; 2 of them are required, or a alone, which was the last leader and has all of them. Missing: a (it is exited), b (it is exited)" +
        " -> bring one back, a first: docker start a, or 'make up STACK=demo'. Only if their disks are permanently lost: c has the newest remaining data (up to 0/52B8EA8, timeline 1; the last position that the leader reported is 0/52A7E08) and can be promoted, which loses every acknowledged write that reached only the missing members: docs/runbooks/no-leader.md",
    );
  });

  test("two cut off: they run, and etcd does not hear of them", () => {
    expect(
      judge({ sync: SYNC, members: { c: runs() } }, { a: "running", b: "paused", c: "running" }),
    ).toContain(
      "Missing: a (it is running but not in etcd: it is cut off, or its Patroni hangs or is still starting), b (it is paused) -> bring one back, a first: repair its network (docs/runbooks/partition.md), or docker restart a. Only if",
    );
  });

  test("the replicas and then the leader: only the leader has everything", () => {
    const alone = { leader: "a", sync_standby: "", quorum: 0 };
    expect(judge({ sync: alone, members: { b: runs(), c: runs(0x6000000) } }, { a: "exited" })).toMatch(
      /: only a, which continued as leader without replicas, has all acknowledged writes\. Missing: a \(.* docker start a,.*: c has the newest remaining data \(up to 0\/6000000/,
    );
  });

  test("on Kubernetes it says what keeps a pod away, and how one that hangs is ended", () => {
    const kubernetes = kubernetesMembers({ cluster: "pg", namespace: "db", clusterDomain: "cluster.local" });
    const keys = { sync: SYNC, members: { c: runs() } };
    expect(judge(keys, { a: "missing", b: "pending" }, kubernetes)).toContain(
      "a first: its StatefulSet recreates it, unless the pod is rejected",
    );
    expect(judge(keys, { a: "running", b: "pending" }, kubernetes)).toContain(
      "or kubectl delete pod a --namespace db. Only if",
    );
  });

  test("a container that is paused is not started, it goes on", () => {
    const judged = judge({ sync: SYNC, members: { c: runs() } }, { a: "paused", b: "exited", c: "running" });
    expect(judged).toContain("a (it is paused)");
    expect(judged).toContain("bring one back, a first: docker unpause a. ");
  });

  test("the newest of those left is by its timeline, then by its position, which may be beyond four gigabytes", () => {
    const keys = { sync: { ...SYNC, sync_standby: "b,c,d,e", quorum: 3 } };
    const members = { b: runs(9, 2), c: runs(0x7_0000_0010, 3), d: runs(0x6_ffff_ffff, 3) };
    expect(judge({ ...keys, members }, {})).toContain("only b, c, d are available; 4 of them are required");
    expect(judge({ ...keys, members }, {})).toContain(
      "c has the newest remaining data (up to 7/10, timeline 3)",
    );
  });

  test("a member whose server does not answer has no vote, whatever etcd hears of it", () => {
    const members = { b: { state: "starting" }, c: runs() };
    expect(judge({ sync: SYNC, members }, { a: "exited" })).toContain(
      "Missing: a (it is exited), b (starting)",
    );
    expect(judge({ sync: SYNC, members: { b: { state: "stopped" } } }, { a: "exited" })).toContain(
      "No member is left that could become leader. If the disks of all members are lost, the data is lost too",
    );
  });

  test("with enough of them, or the one that led, it is an election that is waited for", () => {
    const enough: readonly GroupKeys["members"][] = [{ b: runs(), c: runs() }, { a: runs() }];
    for (const members of enough)
      expect(judge({ sync: SYNC, members }, {})).toMatch(
        /^nobody leads, although enough members are available/,
      );
    expect(judge({ members: {} }, {})).toMatch(/enough members are available \(none\)/);
  });

  test("etcd's keys are read as etcdctl prints them, of this group alone", () => {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const kv = (key: string, value: string) => ({
      key: base64(`/service/pg/2/${key}`),
      value: base64(value),
    });
    const answer = JSON.stringify({
      kvs: [
        kv("initialize", "7713054160381190186"),
        kv("sync", JSON.stringify(SYNC)),
        kv("status", '{"optime":7}'),
        kv("members/a", JSON.stringify(runs())),
        { key: base64("/service/pg/2/config") },
      ],
    });
    expect(groupKeys(answer, "/service/pg/2/")).toEqual({ sync: SYNC, members: { a: runs() }, position: 7 });
    expect(groupKeys("{}", "/service/pg/")).toEqual({ sync: undefined, members: {} });
  });
});
