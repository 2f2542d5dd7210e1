import { KubernetesStack, ours, SMALL, withKubernetes } from "../kubernetes/cluster";
import { freezeRounds, frozenGroup, frozenRound } from "../support/freezes";
import type { Trial } from "./trial";

export const trial: Trial<KubernetesStack> = {
  description: "a leader on Kubernetes of which a part freezes never comes back as a second primary",
  rounds: freezeRounds(3),

  missing: () => (withKubernetes && ours ? undefined : "containers are frozen on their node: make kube-up"),

  async open() {
    const stack = new KubernetesStack("freezes", SMALL);
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  round: async (round, stack) => frozenRound(await frozenGroup(stack, "patroni", 3), round),

  close: (stack) => stack.remove(),
};
