import { withCitus } from "../support/citus";
import { distributed } from "../support/distributed";
import { freezeRounds, frozenGroup, frozenRound } from "../support/freezes";
import { docker, TestStack } from "../support/stack";
import type { Trial } from "./trial";

/** Members of each group. */
const GROUPS = { coordinator: 3, "worker-1": 2 } as const;
type Workload = keyof typeof GROUPS;

export const trial: Trial<TestStack> = {
  description: "neither a coordinators' leader nor a worker's that freezes comes back as a second primary",
  rounds: Object.keys(GROUPS).flatMap((workload) => freezeRounds(3, `${workload} `)),

  missing: () => (withCitus ? undefined : "there is no package of Citus on this machine"),

  async open() {
    const stack = new TestStack({
      ...{ name: "freezes-citus", cluster: "pg-frozen", folder: "freezes-citus" },
      ports: { write: 21060, read: 21061, statistics: 21062 },
      over: {
        ...{ citus: "required", etcd: { members: 1 }, proxy: { writePools: 1, readPools: 1, entries: 1 } },
        ...{
          coordinator: { members: GROUPS.coordinator },
          workers: { groups: 1, members: GROUPS["worker-1"] },
        },
      },
    });
    await stack.start();
    await distributed(stack, (member, ...command) => docker("exec", member, ...command)).prepare();
    return stack;
  },

  async round(round, stack) {
    const workload = round.name.split(" ")[0] as Workload;
    return frozenRound(await frozenGroup(stack, workload, GROUPS[workload]), round);
  },

  close: (stack) => stack.remove(),
};
