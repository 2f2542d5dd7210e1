import type { Observation } from "../../../../../components/resources/sql/replication-check/plan";
import {
  describeChange,
  judgeReplication,
} from "../../../../../components/resources/sql/replication-check/plan";
import { readReplicasStatement } from "../../../../../components/resources/sql/replication-check/statements";

const expected = { members: ["pg-0", "pg-1", "pg-2"], synchronousReplicas: 1, maximumLagBytes: 1000 };
const view = {
  leader: "pg-0",
  members: ["pg-0", "pg-1", "pg-2"].map((name) => ({
    name,
    role: name === "pg-0" ? "leader" : "quorum_standby",
    state: "streaming",
  })),
};
const healthy: Observation = {
  views: { "pg-0": view, "pg-1": view, "pg-2": view },
  standby: { "pg-0": false, "pg-1": true, "pg-2": true },
  replicas: ["pg-1", "pg-2"].map((name) => ({ name, state: "streaming", syncState: "quorum", lagBytes: 0 })),
};
const problems = (
  change: Partial<Observation>,
  expectation: Partial<typeof expected> = {},
): readonly string[] => {
  const verdict = judgeReplication({ ...expected, ...expectation }, { ...healthy, ...change });
  return verdict.healthy ? [] : verdict.problems;
};
const [first, second] = healthy.replicas!;

describe("judgeReplication", () => {
  it("is content with a healthy cluster and shows its coarse picture", () => {
    expect(judgeReplication(expected, healthy)).toEqual({
      healthy: true,
      seen: {
        leader: "pg-0",
        members: [
          { name: "pg-0", role: "leader", state: "running", syncState: "" },
          { name: "pg-1", role: "replica", state: "streaming", syncState: "quorum" },
          { name: "pg-2", role: "replica", state: "streaming", syncState: "quorum" },
        ],
      },
    });
  });

  it("is content with a single member", () => {
    const alone = { ...view, members: view.members.slice(0, 1) };
    const observed = { views: { "pg-0": alone }, standby: { "pg-0": false }, replicas: [] };
    expect(
      judgeReplication({ members: ["pg-0"], synchronousReplicas: 0, maximumLagBytes: 1 }, observed).healthy,
    ).toBe(true);
  });

  it("names a member that is not connected, does not stream, or is too far behind", () => {
    expect(problems({ replicas: [first!] })).toEqual(["pg-2 is not connected to the leader pg-0"]);
    expect(problems({ replicas: [first!, { ...second!, state: "catchup" }] })).toEqual([
      "pg-2 is in state catchup instead of streaming",
    ]);
    expect(problems({ replicas: [first!, { ...second!, lagBytes: 1001 }] })).toEqual([
      "pg-2 is 1001 bytes behind, more than the limit of 1000",
    ]);
    expect(problems({ replicas: [first!, { ...second!, lagBytes: null }] })).toEqual([
      "pg-2 has replayed nothing yet",
    ]);
  });

  it("wants the declared number of synchronous replicas", () => {
    const asynchronous = healthy.replicas!.map((row) => ({ ...row, syncState: "async" }));
    expect(problems({ replicas: asynchronous })).toEqual(["0 synchronous replica(s) instead of at least 1"]);
    expect(problems({}, { synchronousReplicas: 0 })).toEqual([
      "2 synchronous replica(s) although replication is declared as asynchronous",
    ]);
  });

  it("waits for every replica to vote in a quorum, and not in priority mode", () => {
    expect(problems({ replicas: [first!, { ...second!, syncState: "async" }] })).toEqual([
      "pg-2 is not part of the synchronous quorum",
    ]);
    const priority = [
      { ...first!, syncState: "sync" },
      { ...second!, syncState: "async" },
    ];
    expect(problems({ replicas: priority })).toEqual([]);
  });

  it("names members that disagree on the leader", () => {
    const other = { ...view, leader: "pg-1" };
    expect(problems({ views: { "pg-0": view, "pg-1": other, "pg-2": view } })).toEqual([
      "members do not agree on a leader: pg-0 reports pg-0, pg-1 reports pg-1, pg-2 reports pg-0",
    ]);
    const none = { leader: undefined, members: [] };
    expect(problems({ views: { "pg-0": none, "pg-1": none, "pg-2": none } })).toEqual([
      "members do not agree on a leader: pg-0 reports no leader, pg-1 reports no leader, pg-2 reports no leader",
    ]);
  });

  it("names a second primary, and a leader whose server is a standby", () => {
    expect(problems({ standby: { ...healthy.standby, "pg-2": false } })).toEqual([
      "pg-2 accepts writes although pg-0 is the leader: there are two primaries",
    ]);
    expect(problems({ standby: { ...healthy.standby, "pg-0": true } })).toEqual([
      "pg-0 is the leader according to the DCS, but its PostgreSQL is a standby",
    ]);
  });

  it("names members that nobody declared, and declared ones that the DCS does not know", () => {
    const strange = {
      ...view,
      members: [...view.members.slice(0, 2), { name: "pg-9", role: "replica", state: "streaming" }],
    };
    expect(problems({ views: { "pg-0": strange, "pg-1": strange, "pg-2": strange } })).toEqual([
      "pg-2 is unknown to the DCS",
      "pg-9 is a member according to the DCS, but not declared",
    ]);
  });

  it("lists everything at once", () => {
    const observed = {
      views: { ...healthy.views, "pg-2": { problem: "connection refused" } },
      standby: { ...healthy.standby, "pg-2": { problem: "the container is not running" } },
      replicas: [{ ...first!, lagBytes: 5000 }],
    };
    expect(problems(observed, { synchronousReplicas: 2 })).toEqual([
      "pg-2: its REST API does not answer: connection refused",
      "pg-2: its PostgreSQL does not answer: the container is not running",
      "pg-1 is 5000 bytes behind, more than the limit of 1000",
      "pg-2 is not connected to the leader pg-0",
      "1 synchronous replica(s) instead of at least 2",
    ]);
  });
});

describe("describeChange", () => {
  const verdict = judgeReplication(expected, healthy);
  const before = verdict.seen!;

  it("is silent about the same picture", () => {
    expect(describeChange(before, before)).toEqual([]);
  });

  it("tells a new leader and members that came, went or changed", () => {
    const now = {
      leader: "pg-1",
      members: [
        { name: "pg-1", role: "leader", state: "running", syncState: "" },
        { name: "pg-2", role: "replica", state: "streaming", syncState: "quorum" },
        { name: "pg-3", role: "replica", state: "streaming", syncState: "quorum" },
      ],
    };
    expect(describeChange(before, now)).toEqual([
      "the leader was pg-0 and is pg-1",
      "pg-1 was replica streaming quorum and is leader running",
      "pg-3 is new: replica streaming quorum",
      "pg-0 is gone",
    ]);
  });
});

it("asks the leader how far each replica has replayed", () => {
  expect(readReplicasStatement()).toBe(`SELECT application_name AS name, state, sync_state AS "syncState",
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)::float8 AS "lagBytes"
FROM pg_catalog.pg_stat_replication ORDER BY 1`);
});
