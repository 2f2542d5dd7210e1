import { imagesWith } from "../../config-files/images";
import { KubernetesStack, withKubernetes } from "../kubernetes/cluster";
import { citusPackage, withCitus } from "../support/citus";
import { DISTRIBUTED, type DistributedSizes, membersRounds, sizesTrial } from "./sizes";

export const trial = sizesTrial<DistributedSizes>({
  description:
    "coordinators and workers on Kubernetes change their sizes, and four operations in groups of two to four come about in one go",
  missing: () =>
    withKubernetes && withCitus
      ? undefined
      : "there is no Kubernetes (KUBECONFIG, or make kube-up), or no package of Citus",
  stack: () =>
    new KubernetesStack(
      "grown",
      {
        citus: "required",
        etcd: { members: 3, memory: "256Mi", cpu: "50m", cpuLimit: "none", volumeSize: "1Gi" },
        // Two cores hold four members of both groups, if each takes what is free.
        patroni: { memory: "640Mi", cpu: "80m", cpuLimit: "none", volumeSize: "1Gi" },
        proxy: { entries: 1, writePools: 1, readPools: 1, poolSize: 10, cpu: "20m" },
      },
      imagesWith({ citus: citusPackage }),
    ),
  // In production a worker group of one member is refused.
  rounds: membersRounds(
    (members) => members,
    ["parameter", "memory", "extension", "certificates"],
    [2, 3, 4],
  ),
  ...DISTRIBUTED,
});
