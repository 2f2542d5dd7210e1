import { KubernetesStack, SMALL, withKubernetes } from "../kubernetes/cluster";
import { adoptWithoutState } from "../support/adoption";
import type { Trial } from "./trial";

/** How often `up` is killed while it adopts. */
const KILLS: Readonly<Record<string, number>> = { undisturbed: 0, "killed once": 1 };

export const trial: Trial<KubernetesStack> = {
  description: "a cluster on Kubernetes whose state is lost is adopted",
  rounds: Object.keys(KILLS),
  minutes: 40,

  missing: () => (withKubernetes ? undefined : "there is no Kubernetes: KUBECONFIG, or make kube-up"),

  async open() {
    const stack = new KubernetesStack("adopted", SMALL);
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  round: ({ name, chance, say }, stack) => adoptWithoutState(stack, { kills: KILLS[name]!, chance, say }),

  close: (stack) => stack.remove(),
};
