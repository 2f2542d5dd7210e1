import { onPath } from "../../commands/engine";
import { FREEZES, type FreezeKind, frozenGroup, frozenRound } from "../support/freezes";
import { TestStack } from "../support/stack";
import type { Trial } from "./trial";

const KINDS = Object.keys(FREEZES) as FreezeKind[];
const ROUNDS_OF_EACH = 10;
/** The watchdog's time is 15 s, the lease's 20: below, between and above both. */
const SECONDS = { least: 2, most: 40 };

export const trial: Trial<TestStack> = {
  description: "a leader of which a part freezes for any time never comes back as a second primary",
  rounds: KINDS.flatMap((kind) =>
    Array.from({ length: ROUNDS_OF_EACH }, (_, index) => `${kind} ${index + 1}`),
  ),

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "freezes", cluster: "pg-freezes", folder: "freezes" },
      ports: { write: 21050, read: 21051, statistics: 21052 },
      over: { citus: "off", etcd: { members: 1 }, proxy: { writePools: 1, readPools: 1, entries: 1 } },
    });
    stack.configure();
    await stack.up("--refresh");
    await stack.prepareWrites();
    return stack;
  },

  async round({ name, chance }, stack) {
    const kind = name.slice(0, name.lastIndexOf(" ")) as FreezeKind;
    const seconds = chance.between(SECONDS.least, SECONDS.most);
    return frozenRound(await frozenGroup(stack, "patroni", 3), kind, seconds, name);
  },

  close: (stack) => stack.remove(),
};
