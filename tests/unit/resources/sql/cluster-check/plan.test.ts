import {
  type ClusterObservation,
  type ExpectedGroup,
  judgeCluster,
  type RegisteredNode,
} from "../../../../../components/resources/sql/cluster-check/plan";

const member = (name: string) => ({ name, host: `${name}.db` });
const expected: readonly ExpectedGroup[] = [
  { group: 0, members: [member("c-0"), member("c-1")] },
  { group: 1, members: [member("w1-0"), member("w1-1")] },
];
const node = (group: number, name: string, role: string, more: Partial<RegisteredNode> = {}) => ({
  ...{ group, host: `${name}.db`, role, active: true, synced: role === "primary" },
  ...more,
});
const healthy: ClusterObservation = {
  nodes: [
    node(0, "c-0", "primary"),
    node(0, "c-1", "secondary"),
    node(1, "w1-1", "primary"),
    node(1, "w1-0", "secondary"),
  ],
  dcs: {
    0: {
      members: [
        { name: "c-0", role: "leader" },
        { name: "c-1", role: "quorum_standby" },
      ],
    },
    1: {
      members: [
        { name: "w1-0", role: "replica" },
        { name: "w1-1", role: "leader" },
      ],
    },
  },
  broken: [],
};
const nodes = (change: (nodes: readonly RegisteredNode[]) => readonly RegisteredNode[]) => ({
  ...healthy,
  nodes: change(healthy.nodes),
});
const changed = (host: string, change: Partial<RegisteredNode>) =>
  nodes((all) => all.map((row) => (row.host === `${host}.db` ? { ...row, ...change } : row)));
const without = (host: string) => nodes((all) => all.filter((row) => row.host !== `${host}.db`));
const dcs = (group: number, view: ClusterObservation["dcs"][number]) => ({
  ...healthy,
  dcs: { ...healthy.dcs, [group]: view },
});

describe("a worker that somebody else runs", () => {
  const outside = [...expected, { group: 7, members: [{ name: "db7", host: "db7" }], external: true }];

  test("is judged by its row alone", () => {
    const row = { group: 7, host: "db7", role: "primary", active: true, synced: true };
    expect(judgeCluster(outside, { ...healthy, nodes: [...healthy.nodes, row] })).toEqual([]);
    expect(judgeCluster(outside, healthy)).toEqual(["group 7: db7 is not registered"]);
    expect(
      judgeCluster(outside, { ...healthy, nodes: [...healthy.nodes, { ...row, active: false }] }),
    ).toEqual(["group 7: db7 is not active"]);
  });
});

describe("the nodes of a Citus cluster against their declaration (F8)", () => {
  test("nothing is wrong where everything is as declared", () => {
    expect(judgeCluster(expected, healthy)).toEqual([]);
  });

  const cases: readonly [string, ClusterObservation, readonly string[]][] = [
    ["a standby's row is missing", without("w1-0"), ["group 1: w1-0.db is not registered"]],
    [
      "a row is nobody's",
      nodes((all) => [...all, node(1, "other", "secondary")]),
      ["group 1: other.db is registered, but not declared"],
    ],
    [
      "a row has another name",
      changed("w1-0", { host: "10.0.0.7" }),
      ["group 1: w1-0.db is registered under another name, 10.0.0.7"],
    ],
    ["a node is disabled", changed("w1-1", { active: false }), ["group 1: w1-1.db is not active"]],
    [
      "a primary is out of step",
      changed("w1-1", { synced: false }),
      ["group 1: w1-1.db does not have the current metadata"],
    ],
    [
      "roles are those of before a failover",
      nodes((all) =>
        all.map((row) =>
          row.group === 1
            ? node(1, row.host.slice(0, 4), row.host === "w1-0.db" ? "primary" : "secondary")
            : row,
        ),
      ),
      [
        "group 1: w1-1.db is registered as secondary, but is the primary",
        "group 1: w1-0.db is registered as primary, but is the secondary",
      ],
    ],
    [
      "a group is nobody's",
      nodes((all) => [...all, node(3, "w3-0", "primary"), node(3, "w3-1", "secondary")]),
      ["group 3 is registered (w3-0.db, w3-1.db), but not declared"],
    ],
    [
      "a group has no leader",
      dcs(1, {
        members: [
          { name: "w1-0", role: "replica" },
          { name: "w1-1", role: "replica" },
        ],
      }),
      ["group 1: no leader"],
    ],
    [
      "the DCS has other members",
      dcs(1, {
        members: [
          { name: "w1-1", role: "leader" },
          { name: "w1-7", role: "replica" },
        ],
      }),
      [
        "group 1: w1-0 is unknown to the DCS",
        "group 1: w1-7 is a member according to the DCS, but not declared",
      ],
    ],
    [
      "nobody of a group answers",
      dcs(1, { problem: "connection refused" }),
      ["group 1: none of its members reports the state in the DCS: connection refused"],
    ],
    [
      "a node does not reach another one",
      { ...healthy, broken: [{ from: "c-0.db", to: "w1-1.db" }] },
      ["c-0.db cannot reach w1-1.db"],
    ],
  ];
  test.each(cases)("names it when %s", (_what, observed, problems) => {
    expect([...judgeCluster(expected, observed)].sort()).toEqual([...problems].sort());
  });
});
