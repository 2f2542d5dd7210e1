import { onPath } from "../../commands/programs";
import { freezeRounds, frozenGroup, frozenRound } from "../support/freezes";
import { TestStack } from "../support/stack";
import type { Trial } from "./trial";

export const trial: Trial<TestStack> = {
  description: "a leader of which a part freezes for any time never comes back as a second primary",
  rounds: freezeRounds(10),

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "freezes", cluster: "pg-freezes", folder: "freezes" },
      ports: { write: 21050, read: 21051, statistics: 21052 },
      over: { citus: "off", etcd: { members: 1 }, proxy: { writePools: 1, readPools: 1, entries: 1 } },
    });
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  round: async (round, stack) => frozenRound(await frozenGroup(stack, "patroni", 3), round),

  close: (stack) => stack.remove(),
};
