import assert from "node:assert/strict";
import { restartAll } from "../../components/resources/patroni/restart";
import { switchover } from "../../components/resources/patroni/switchover";
import { distributed } from "../support/distributed";
import { groupOf } from "../support/group";
import { merged, type Settings, type TestStack } from "../support/stack";
import { Writer } from "../support/writer";
import type { Figures, Round, Trial } from "./trial";

const MEMBERS = [1, 2, 3, 4];

/** What is done to a group, besides to change its size. */
const OPERATIONS = [
  "parameter",
  "memory",
  "extension",
  "certificates",
  "image",
  "restart",
  "switchover",
] as const;
type Operation = (typeof OPERATIONS)[number];

/** From one shape of a stack to another. Of `operation` too; both are changed by one `up`, where `up` does it. */
export interface Change<Shape> {
  readonly from: Shape;
  readonly to: Shape;
  readonly operation?: Operation;
}

const pairs = (numbers: readonly number[]): (readonly [number, number])[] =>
  numbers.flatMap((from) => numbers.filter((to) => to !== from).map((to) => [from, to] as const));

type Rounds<Shape> = readonly (readonly [string, Change<Shape>])[];

/** Every pair of sizes, and operations in a group of every size, by the round's name. */
export const membersRounds = <Shape>(
  shape: (members: number) => Shape,
  operations: readonly Operation[] = OPERATIONS,
  sizes: readonly number[] = MEMBERS,
): Rounds<Shape> => [
  ...pairs(sizes).map(([from, to]): [string, Change<Shape>] => [
    `members ${from} to ${to}`,
    { from: shape(from), to: shape(to) },
  ]),
  ...operations.flatMap((operation) =>
    sizes
      .filter((members) => operation !== "switchover" || members > 1)
      .map((members): [string, Change<Shape>] => [
        `${operation} in a group of ${members}`,
        { from: shape(members), to: shape(members), operation },
      ]),
  ),
];

/** A new image together with another size. */
export const imageRounds = <Shape>(shape: (members: number) => Shape): Rounds<Shape> =>
  pairs([2, 3]).map(([from, to]) => [
    `image and members ${from} to ${to}`,
    { from: shape(from), to: shape(to), operation: "image" },
  ]);

/** What the operation is in a stack's settings. With `count`, which grows, it is a change in any case. */
function operationSettings(operation: Operation | undefined, count: number): Settings {
  const changed = (what: Operation): number => (what === operation ? count : 0);
  return {
    patroni: {
      memory: `${512 + changed("memory")}Mi`,
      // By more than what Citus keeps from clients.
      parameters: { max_connections: 100 + (operation === "parameter" ? 20 + count : 0) },
      extensions: operation === "extension" ? ["hstore"] : [],
    },
    certificates: { days: 300 - changed("certificates") },
    ...(operation === "image" && { images: { postgresPackages: ["postgresql-17-ip4r"] } }),
  };
}

/** A group by its workload, and how many members it has before and after. */
interface Resized {
  readonly workload: string;
  readonly from: number;
  readonly to: number;
}

interface Bench {
  readonly stack: TestStack;
  /** Changes of settings so far: each has a value that none had before. */
  changes: number;
}

/** What differs between trials: of a plain cluster, of a distributed one, on Kubernetes. */
export interface SizesTrial<Shape> {
  readonly description: string;
  readonly missing: () => string | undefined;
  readonly stack: () => TestStack;
  readonly rounds: Rounds<Shape>;
  /** The shape in a stack's settings. */
  readonly settings: (shape: Shape) => Settings;
  /** How many members each group has in it, by workload. */
  readonly groups: (shape: Shape) => Readonly<Record<string, number>>;
  /** Makes what is written to, in a stack that runs. */
  readonly prepare: (stack: TestStack) => Promise<void>;
}

/** The shape of a cluster that is not distributed. */
export interface PlainSizes {
  readonly members: number;
  readonly etcd: number;
}

/** What trials of such a cluster have in common, wherever it runs. */
export const PLAIN: Pick<SizesTrial<PlainSizes>, "settings" | "groups" | "prepare"> = {
  settings: ({ members, etcd }) => ({ etcd: { members: etcd }, patroni: { members } }),
  groups: ({ members }) => ({ patroni: members }),
  prepare: (stack) => stack.prepareWrites(),
};

/** The coordinators and one worker group have as many members; what is done is done to both at once. */
export type DistributedSizes = number;

/** What trials of a distributed database have in common, wherever it runs. */
export const DISTRIBUTED: Pick<SizesTrial<DistributedSizes>, "settings" | "groups" | "prepare"> = {
  settings: (members) => ({ coordinator: { members }, workers: { groups: 1, members } }),
  groups: (members) => ({ coordinator: members, "worker-1": members }),
  prepare: (stack) => distributed(stack, (...command) => stack.inside.run(...command)).prepare(),
};

/** Every pair of these sizes of etcd. */
export const etcdRounds = (sizes: readonly number[]): Rounds<PlainSizes> =>
  pairs(sizes).map(([from, to]) => [
    `etcd ${from} to ${to}`,
    { from: { members: 2, etcd: from }, to: { members: 2, etcd: to } },
  ]);

/** Each round brings the stack into its former shape, and then changes it under a writing client. */
export function sizesTrial<Shape>(of: SizesTrial<Shape>): Trial<Bench> {
  const changes = new Map(of.rounds);
  const settings = (shape: Shape, count: number, operation?: Operation): Settings =>
    merged(operationSettings(operation, count), of.settings(shape));
  const configure = ({ stack, changes: count }: Bench, shape: Shape, operation?: Operation): void =>
    stack.configure(settings(shape, count, operation));
  return {
    ...{ description: of.description, missing: of.missing, rounds: [...changes.keys()] },

    async open() {
      const bench = { stack: of.stack(), changes: 0 };
      await bench.stack.start(settings(of.rounds[0]![1].from, 0));
      await of.prepare(bench.stack);
      return bench;
    },

    async round(round, bench) {
      const { from, to, operation } = changes.get(round.name)!;
      bench.changes += 1;
      configure(bench, from);
      await bench.stack.up("--refresh");
      const after = of.groups(to);
      const groups = Object.entries(of.groups(from)).map(([workload, members]) => ({
        ...{ workload, from: members, to: after[workload]! },
      }));
      return changed(bench.stack, round, groups, operation, () => configure(bench, to, operation));
    },

    close: ({ stack }) => stack.remove(),
  };
}

/**
 * Changes a stack that runs in its former shape, under a writing client, and waits until all groups are whole again. One member of each leads
 * before, whichever: with fewer members it may be one that leaves.
 * @param configure writes the settings to come
 */
async function changed(
  stack: TestStack,
  { name, chance, say }: Round,
  groups: readonly Resized[],
  operation: Operation | undefined,
  configure: () => void,
): Promise<Figures> {
  const leaders: string[] = [];
  for (const { workload, from } of groups) {
    const group = groupOf(stack, workload, from);
    const leader = stack.member(workload, chance.between(0, from - 1));
    if ((await group.whole()) !== leader)
      await group.withPatroni((rest) => switchover(rest, { candidate: leader }));
    await group.whole();
    leaders.push(leader);
  }
  say(`${leaders.join(", ")}: to lead`);
  const outside = operation === "restart" || operation === "switchover";

  const writer = new Writer(await stack.target("app_readwrite"), `${name} ${Date.now()}`);
  const started = performance.now();
  let seconds = 0;
  const report = await writer.during(async () => {
    if (outside) {
      for (const { workload, to } of groups)
        await groupOf(stack, workload, to).withPatroni(async (rest) => {
          if (operation === "restart") await restartAll(rest, { restartSeconds: 120 });
          else await switchover(rest, { deadlineSeconds: 120 });
        });
    } else {
      configure();
      await stack.up("--refresh");
    }
    seconds = Math.round((performance.now() - started) / 100) / 10;
    for (const { workload, to } of groups) await groupOf(stack, workload, to).whole();
    await writer.awaitAcknowledged(100);
  });
  for (const error of report.errors) say(`failed: ${error}`);
  assert.deepEqual(report.lost, [], "acknowledged writes are lost");
  // Who leads is known to the next `up`, if it was not the one that changed it.
  if (outside) await stack.up();
  await stack.up("--expect-no-changes");
  return {
    ...{ leader: leaders.join(", "), seconds, "gap ms": report.longestGapMs },
    ...{ acknowledged: report.acknowledged, unknown: report.unknown },
  };
}
