import { adoptWithoutState, removeBoth } from "../support/adoption";
import { withCitus } from "../support/citus";
import { distributed } from "../support/distributed";
import { docker, TestStack } from "../support/stack";
import type { Trial } from "./trial";

/** How often `up` is killed while it adopts. */
const KILLS: Readonly<Record<string, number>> = { undisturbed: 0, "killed once": 1 };

export const trial: Trial<TestStack> = {
  description: "a distributed cluster whose state is lost is adopted with all its groups",
  rounds: Object.keys(KILLS),
  minutes: 40,

  missing: () => (withCitus ? undefined : "there is no package of Citus on this machine"),

  async open() {
    const stack = new TestStack({
      ...{ name: "adoptions-citus", cluster: "pg-inherited", folder: "adoptions-citus" },
      ports: { write: 21100, read: 21101, statistics: 21102 },
      over: {
        // Two pools, as by default: while the only one is replaced, nobody takes a client's connection.
        ...{ citus: "required", etcd: { members: 1 }, proxy: { readPools: 1 } },
        ...{ coordinator: { members: 2 }, workers: { groups: 1, members: 2 } },
      },
    });
    await stack.start();
    await distributed(stack, (member, ...command) => docker("exec", member, ...command)).prepare();
    return stack;
  },

  round: ({ name, chance, say }, stack) => adoptWithoutState(stack, { kills: KILLS[name]!, chance, say }),

  close: removeBoth,
};
