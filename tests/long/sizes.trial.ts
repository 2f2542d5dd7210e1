import { onPath } from "../../commands/engine";
import {
  type Change,
  changed,
  membersRounds,
  type Operation,
  operationSettings,
  pairs,
} from "../support/sizes";
import { TestStack } from "../support/stack";
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

const ROUNDS: ReadonlyMap<string, Change<Sizes>> = new Map([
  ...membersRounds((members): Sizes => ({ members, etcd: 1 })),
  ...pairs([1, 3, 5]).map(([from, to]): [string, Change<Sizes>] => [
    `etcd ${from} to ${to}`,
    { from: { members: 2, etcd: from }, to: { members: 2, etcd: to } },
  ]),
]);

function configure({ stack, changes }: Bench, { members, etcd }: Sizes, operation?: Operation): void {
  const { patroni, ...others } = operationSettings(operation, changes);
  stack.configure({ ...others, etcd: { members: etcd }, patroni: { ...patroni, members } });
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

  async round(round, bench) {
    const { from, to, operation } = ROUNDS.get(round.name)!;
    const { stack } = bench;
    bench.changes += 1;
    configure(bench, from);
    await stack.up("--refresh");
    const groups = [{ workload: "patroni", from: from.members, to: to.members }];
    return changed(stack, round, groups, operation, () => configure(bench, to, operation));
  },

  close: ({ stack }) => stack.remove(),
};
