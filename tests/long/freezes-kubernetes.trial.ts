import { FREEZES, type FreezeKind, frozenGroup, frozenRound } from "../support/freezes";
import { KubernetesStack, ours, SMALL, withKubernetes } from "../kubernetes/cluster";
import type { Trial } from "./trial";

const KINDS = Object.keys(FREEZES) as FreezeKind[];
const ROUNDS_OF_EACH = 3;
const SECONDS = { least: 2, most: 40 };

export const trial: Trial<KubernetesStack> = {
  description: "a leader on Kubernetes of which a part freezes never comes back as a second primary",
  rounds: KINDS.flatMap((kind) =>
    Array.from({ length: ROUNDS_OF_EACH }, (_, index) => `${kind} ${index + 1}`),
  ),

  missing: () => (withKubernetes && ours ? undefined : "containers are frozen on their node: make kube-up"),

  async open() {
    const stack = new KubernetesStack("freezes", SMALL);
    await stack.start();
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
