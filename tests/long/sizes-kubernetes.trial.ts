import { KubernetesStack, SMALL, withKubernetes } from "../kubernetes/cluster";
import { etcdRounds, membersRounds, PLAIN, type PlainSizes, sizesTrial } from "./sizes";

/** Two cores hold four members of it. */
const FEW = { ...SMALL, patroni: { ...SMALL.patroni, cpu: "200m" } };

/** The image changes as the memory does: the pods are replaced. Who leads and what restarts by hand is Patroni's own there. */
export const trial = sizesTrial<PlainSizes>({
  description:
    "every change of size on Kubernetes, and four operations in a group of any size, come about in one go",
  missing: () => (withKubernetes ? undefined : "there is no Kubernetes: KUBECONFIG, or make kube-up"),
  stack: () => new KubernetesStack("resized", FEW),
  rounds: [
    ...membersRounds(
      (members): PlainSizes => ({ members, etcd: 3 }),
      ["parameter", "memory", "extension", "certificates"],
    ),
    ...etcdRounds([3, 5]),
  ],
  ...PLAIN,
});
