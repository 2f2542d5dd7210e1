import { onPath } from "../../commands/programs";
import { adoptWithoutState, removeBoth } from "../support/adoption";
import { TestStack } from "../support/stack";
import type { Trial } from "./trial";

/** How often `up` is killed while it adopts; the cluster of one round is adopted once more by the next. */
const KILLS: Readonly<Record<string, number>> = { undisturbed: 0, "killed once": 1, "killed three times": 3 };

export const trial: Trial<TestStack> = {
  description:
    "a cluster whose state is lost is adopted, and a client that knows its password and both authorities loses nothing",
  rounds: Object.keys(KILLS),
  minutes: 40,

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "adoptions", cluster: "pg-adopted", folder: "adoptions" },
      ports: { write: 21080, read: 21081, statistics: 21082 },
      over: { citus: "off", etcd: { members: 3 } },
    });
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  round: ({ name, chance, say }, stack) => adoptWithoutState(stack, { kills: KILLS[name]!, chance, say }),

  close: removeBoth,
};
