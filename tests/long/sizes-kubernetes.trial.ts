import { KubernetesStack, SMALL, withKubernetes } from "../kubernetes/cluster";
import { membersRounds, pairs, sizesTrial } from "./sizes";

interface Sizes {
  readonly members: number;
  readonly etcd: number;
}

/** Two cores hold four members of it. */
const FEW = { ...SMALL, patroni: { ...SMALL.patroni, cpu: "200m" } };

/** The image changes as the memory does: the pods are replaced. Who leads and what restarts by hand is Patroni's own there. */
export const trial = sizesTrial<Sizes>({
  description:
    "every change of size on Kubernetes, and every operation in a group of any size, comes about in one go",
  missing: () => (withKubernetes ? undefined : "there is no Kubernetes: KUBECONFIG, or make kube-up"),
  stack: () => new KubernetesStack("resized", FEW),
  rounds: [
    ...membersRounds(
      (members): Sizes => ({ members, etcd: 3 }),
      ["parameter", "memory", "extension", "certificates"],
    ),
    ...pairs([3, 5]).map(
      ([from, to]) =>
        [
          `etcd ${from} to ${to}`,
          { from: { members: 2, etcd: from }, to: { members: 2, etcd: to } },
        ] as const,
    ),
  ],
  settings: ({ members, etcd }) => ({ etcd: { members: etcd }, patroni: { members } }),
  groups: ({ members }) => ({ patroni: members }),
  prepare: (stack) => stack.prepareWrites(),
});
