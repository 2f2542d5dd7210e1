import { withCitus } from "../support/citus";
import { distributed } from "../support/distributed";
import { type Change, changed, membersRounds, type Operation, operationSettings } from "../support/sizes";
import { docker, TestStack } from "../support/stack";
import type { Trial } from "./trial";

interface Bench {
  readonly stack: TestStack;
  /** Changes of settings so far: each has a value that none had before. */
  changes: number;
}

/** The coordinators and the worker group have as many members, and what is done is done to both at once. */
const WORKLOADS = ["coordinator", "worker-1"];
const ROUNDS: ReadonlyMap<string, Change<number>> = new Map(membersRounds((members) => members));

function configure({ stack, changes }: Bench, members: number, operation?: Operation): void {
  const groups = { coordinator: { members }, workers: { groups: 1, members } };
  stack.configure({ ...operationSettings(operation, changes), ...groups });
}

export const trial: Trial<Bench> = {
  description: "coordinators and workers change their sizes, and are operated in groups of any size",
  rounds: [...ROUNDS.keys()],

  missing: () => (withCitus ? undefined : "there is no package of Citus on this machine"),

  async open() {
    const stack = new TestStack({
      ...{ name: "sizes-citus", cluster: "pg-grown", folder: "sizes-citus" },
      ports: { write: 21100, read: 21101, statistics: 21102 },
      over: {
        ...{ citus: "required", etcd: { members: 1 }, proxy: { writePools: 1, readPools: 1, entries: 1 } },
      },
    });
    const bench = { stack, changes: 0 };
    configure(bench, 2);
    await stack.up("--refresh");
    await distributed(stack, (member, ...command) => docker("exec", member, ...command)).prepare();
    return bench;
  },

  async round(round, bench) {
    const { from, to, operation } = ROUNDS.get(round.name)!;
    const { stack } = bench;
    bench.changes += 1;
    configure(bench, from);
    await stack.up("--refresh");
    const groups = WORKLOADS.map((workload) => ({ workload, from, to }));
    return changed(stack, round, groups, operation, () => configure(bench, to, operation));
  },

  close: ({ stack }) => stack.remove(),
};
