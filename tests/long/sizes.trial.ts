import assert from "node:assert/strict";
import { onPath } from "../../commands/engine";
import { withMembers } from "../../commands/patroni";
import { restartAll } from "../../components/patroni/restart";
import { switchover } from "../../components/patroni/switchover";
import { TestStack } from "../support/stack";
import { Writer } from "../support/writer";
import type { Trial } from "./trial";

interface Sizes {
  readonly members: number;
  readonly etcd: number;
}

interface Bench {
  readonly stack: TestStack;
  /** Changes of settings so far: each has a value that none had before. */
  changes: number;
}

const MEMBERS = [1, 2, 3, 4];
const ETCD = [1, 3, 5];

/** What is done to a group, besides to change its size. */
const OPERATIONS = ["parameter", "memory", "extension", "certificates", "restart", "switchover"] as const;
type Operation = (typeof OPERATIONS)[number];

interface Kind {
  readonly from: Sizes;
  readonly to: Sizes;
  readonly operation?: Operation;
}

const pairs = (numbers: readonly number[]): (readonly [number, number])[] =>
  numbers.flatMap((from) => numbers.filter((to) => to !== from).map((to) => [from, to] as const));

const ROUNDS: ReadonlyMap<string, Kind> = new Map([
  ...pairs(MEMBERS).map(([from, to]): [string, Kind] => [
    `members ${from} to ${to}`,
    { from: { members: from, etcd: 1 }, to: { members: to, etcd: 1 } },
  ]),
  ...pairs(ETCD).map(([from, to]): [string, Kind] => [
    `etcd ${from} to ${to}`,
    { from: { members: 2, etcd: from }, to: { members: 2, etcd: to } },
  ]),
  ...OPERATIONS.flatMap((operation) =>
    MEMBERS.filter((members) => operation !== "switchover" || members > 1).map((members): [string, Kind] => {
      const sizes = { members, etcd: 1 };
      return [`${operation} in a group of ${members}`, { from: sizes, to: sizes, operation }];
    }),
  ),
]);

/** With `changes` a number that grows, so that it is a change in any case. */
function configure({ stack, changes }: Bench, { members, etcd }: Sizes, operation?: Operation): void {
  const changed = (what: Operation): number => (what === operation ? changes : 0);
  stack.configure({
    etcd: { members: etcd },
    patroni: {
      members,
      memory: `${512 + changed("memory")}Mi`,
      parameters: { max_connections: 100 + changed("parameter") },
      extensions: operation === "extension" ? ["hstore"] : [],
    },
    certificates: { days: 300 - changed("certificates") },
  });
}

const groupOf = ({ stack }: Bench, { members }: Sizes): string[] =>
  Array.from({ length: members }, (_, ordinal) => stack.member("patroni", ordinal));

async function carryOut(bench: Bench, { to, operation }: Kind): Promise<void> {
  if (operation === "restart")
    return withMembers(groupOf(bench, to), (rest) => restartAll(rest, { restartSeconds: 120 }));
  if (operation === "switchover") {
    await withMembers(groupOf(bench, to), (rest) => switchover(rest, { deadlineSeconds: 120 }));
    return;
  }
  configure(bench, to, operation);
  await bench.stack.up("--refresh");
}

export const trial: Trial<Bench> = {
  description: "every change of size, and every operation in a group of any size, comes about in one go",
  rounds: [...ROUNDS.keys()],

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "sizes", cluster: "pg-sizes", folder: "sizes" },
      ports: { write: 21070, read: 21071, statistics: 21072 },
      over: { citus: "off", proxy: { writePools: 1, readPools: 1, entries: 1 } },
    });
    const bench = { stack, changes: 0 };
    configure(bench, { members: 2, etcd: 1 });
    await stack.up("--refresh");
    await stack.prepareWrites();
    return bench;
  },

  async round({ name, chance, say }, bench) {
    const kind = ROUNDS.get(name)!;
    const { stack } = bench;
    bench.changes += 1;
    configure(bench, kind.from);
    await stack.up("--refresh");
    await stack.whole(kind.from.members);
    // Whoever leads: with fewer members it may be one that leaves.
    const leader = stack.member("patroni", chance.between(0, kind.from.members - 1));
    if ((await stack.whole(kind.from.members)) !== leader)
      await withMembers(groupOf(bench, kind.from), (rest) => switchover(rest, { candidate: leader }));
    await stack.whole(kind.from.members);
    say(`${leader} leads`);

    const writer = new Writer(await stack.target("app_readwrite"), `${name} ${Date.now()}`);
    const started = performance.now();
    let report;
    let seconds;
    try {
      await writer.start();
      await carryOut(bench, kind);
      seconds = Math.round((performance.now() - started) / 100) / 10;
      await stack.whole(kind.to.members);
      await writer.awaitAcknowledged(100);
    } finally {
      report = await writer.finish();
    }
    assert.deepEqual(report.lost, [], "acknowledged writes are lost");
    await stack.up("--expect-no-changes");
    return {
      ...{ leader, seconds, "gap ms": report.longestGapMs },
      ...{ acknowledged: report.acknowledged, unknown: report.unknown },
    };
  },

  close: ({ stack }) => stack.remove(),
};
