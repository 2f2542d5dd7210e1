import { KubernetesStack, withKubernetes } from "../kubernetes/cluster";
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
    const stack = new KubernetesStack("adopted", {
      etcd: { members: 3, memory: "256Mi", cpu: "125m", volumeSize: "1Gi" },
      patroni: { members: 3, memory: "768Mi", cpu: "350m", volumeSize: "1Gi" },
      proxy: { entries: 2, writePools: 2, readPools: 2, poolSize: 10, drainSeconds: 10, cpu: "20m" },
    });
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  round: ({ name, chance, say }, stack) => adoptWithoutState(stack, { kills: KILLS[name]!, chance, say }),

  close: (stack) => stack.remove(),
};
