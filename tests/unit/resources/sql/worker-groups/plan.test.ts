import { checkGroups } from "../../../../../components/resources/sql/worker-groups/check";
import {
  describeMoves,
  formatBytes,
  leavingGroups,
  markSteps,
  missingOf,
  type NodeRow,
  removalOrder,
  spaceProblems,
  toAdd,
} from "../../../../../components/resources/sql/worker-groups/plan";

const node = (group: number, host: string, over: Partial<NodeRow> = {}): NodeRow => ({
  ...{ group, host, port: 5432, role: "primary", active: true, synced: true, shards: true },
  ...over,
});
const secondary = (group: number, host: string): NodeRow =>
  node(group, host, { role: "secondary", synced: false });

const groups = [
  { group: 1, hosts: ["w1-0", "w1-1"] },
  { group: 2, hosts: ["w2-0", "w2-1"] },
];
const nodes = [node(1, "w1-1"), secondary(1, "w1-0"), node(2, "w2-0"), secondary(2, "w2-1")];

describe("whether a worker group is registered as declared (C5)", () => {
  const missing = (rows: readonly NodeRow[]): readonly string[] => missingOf(groups[0]!, rows);

  test("nothing is missing, whichever member leads", () => {
    expect(missing(nodes)).toEqual([]);
    expect(missing([node(1, "w1-0"), secondary(1, "w1-1")])).toEqual([]);
  });

  test("a secondary's metadata are its primary's, so it need not be in step itself", () => {
    expect(missing([node(1, "w1-1"), { ...secondary(1, "w1-0"), active: false }])).toEqual([]);
  });

  test.each([
    [[], "group 1 has no primary in pg_dist_node yet: Patroni registers it when its leader runs"],
    [[node(1, "w1-1")], "w1-0 is not registered as a secondary"],
    [[node(1, "w1-1", { active: false }), secondary(1, "w1-0")], "w1-1 is not active"],
    [
      [node(1, "w1-1", { synced: false }), secondary(1, "w1-0")],
      "w1-1 does not have the current metadata yet",
    ],
    [
      [node(1, "w1-1-demoted"), secondary(1, "w1-0"), secondary(1, "w1-1")],
      "group 1 has the primary w1-1-demoted, which is not one of its members (w1-0, w1-1)",
    ],
    [[...nodes, secondary(1, "w1-2")], "w1-2 is registered in group 1, but not declared"],
  ])("case %#: %j", (rows, reason) => {
    expect(missing(rows)).toEqual([reason]);
  });
});

describe("groups that leave (D4, F3)", () => {
  const three = [...nodes, node(3, "w3-0"), secondary(3, "w3-1")];

  test("are those that are registered and not declared", () => {
    expect(leavingGroups(groups, nodes)).toEqual([]);
    expect(leavingGroups(groups, three)).toEqual([3]);
    expect(leavingGroups([groups[1]!], three)).toEqual([1, 3]);
  });

  test("are all marked before any other is unmarked: nothing must be moved onto one of them", () => {
    const rows = [node(1, "w1-1", { shards: false }), node(2, "w2-0"), node(3, "w3-0")];
    expect(markSteps([groups[0]!], rows)).toEqual([
      { host: "w2-0", port: 5432, shards: false },
      { host: "w3-0", port: 5432, shards: false },
      { host: "w1-1", port: 5432, shards: true },
    ]);
    expect(markSteps(groups, nodes)).toEqual([]);
  });

  test("lose their secondaries before their primary", () => {
    expect(removalOrder(1, nodes).map(({ host }) => host)).toEqual(["w1-0", "w1-1"]);
  });
});

describe("what a change of the groups must not be (F6)", () => {
  const reasons = (before: number[] | undefined, after: number[]): string[] =>
    checkGroups(
      before?.map((group) => ({ group, hosts: [] })),
      after.map((group) => ({ group, hosts: [] })),
    ).map(({ reason }) => reason);

  test("fine: the first groups, one more, one less, another order", () => {
    for (const [before, after] of [
      [undefined, [1, 2]],
      [
        [1, 2],
        [1, 2, 3],
      ],
      [
        [1, 2, 3],
        [1, 2],
      ],
      [
        [1, 2],
        [2, 1],
      ],
    ] as const)
      expect(reasons(before && [...before], [...after])).toEqual([]);
  });

  test("no group, a number twice, one that comes while another leaves", () => {
    expect(reasons(undefined, [])).toEqual(["there must be at least one worker group"]);
    expect(reasons([1], [1, 2, 2])).toEqual(["two worker groups have the number 2"]);
    expect(reasons([1, 2], [1, 3])).toEqual([
      expect.stringMatching(/^groups 3 are added and 2 removed in one change: .* Add the new groups first/),
    ]);
  });

  test("what is not known yet is not judged", () => {
    expect(checkGroups([], "04da6b54-80e4-46f7-96ec-b56ff0331ba9" as never)).toEqual([]);
  });
});

describe("whether what leaves fits on what stays (D4)", () => {
  const GiB = 1024 ** 3;
  const space = [
    { host: "w1", free: 10 * GiB, total: 100 * GiB },
    { host: "w2", free: 50 * GiB, total: 100 * GiB },
  ];
  const move = (target: string, bytes: number) => ({ source: "w3", target, shards: 1, bytes });

  test("it does while the wished percentage stays free", () => {
    expect(spaceProblems([move("w1", 0), move("w2", 40 * GiB)], space, 10)).toEqual([]);
  });

  test("all moves to a host count, and the refusal says by how much it is too little", () => {
    expect(spaceProblems([move("w2", 30 * GiB), move("w2", 11 * GiB)], space, 10)).toEqual([
      "w2 would receive 41.0 GiB and have 9.0 GiB of 100.0 GiB left, less than the 10 % of citus.desired_percent_disk_available_after_move",
    ]);
    expect(spaceProblems([move("w1", 20 * GiB)], space, 0)).toEqual([
      "w1 would receive 20.0 GiB and have 0 B of 100.0 GiB left, less than the 0 % of citus.desired_percent_disk_available_after_move",
    ]);
  });

  test("a host that takes nothing may be full, and one that does not tell is Citus' own business", () => {
    expect(spaceProblems([move("w9", GiB)], [{ host: "w1", free: 0, total: GiB }], 10)).toEqual([]);
  });
});

describe("progress for people", () => {
  test("bytes", () => {
    expect([0, 1023, 1024, 1536 * 1024, 3 * 1024 ** 4].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.5 MiB",
      "3.0 TiB",
    ]);
  });

  test("moves", () => {
    expect(describeMoves([{ source: "a", target: "b", shards: 5, bytes: 2048 }])).toEqual([
      "move 5 shard(s), 2.0 KiB, from a to b",
    ]);
  });
});

describe("workers that somebody else runs (D3)", () => {
  test("all that are not registered are added at once, and never a group of the stack", () => {
    const external = [
      { group: 3, hosts: ["a"], externalPort: 5432 },
      { group: 4, hosts: ["b"], externalPort: 5433 },
    ];
    const added = external.map(({ group, hosts: [host], externalPort: port }) => ({ group, host, port }));
    expect(toAdd([...groups, ...external], [])).toEqual(added);
    expect(toAdd([...groups, ...external], [...nodes, node(3, "a")])).toEqual(added.slice(1));
  });
});
