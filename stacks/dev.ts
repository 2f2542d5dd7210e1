import { COORDINATOR_WORKLOAD } from "../components/citus-coordinator";
import { PATRONI_WORKLOAD } from "../components/patroni-cluster";
import { abandonedVolumes, workloadsWithData } from "../components/platforms/docker/existing-data";
import { existingNetwork } from "../components/platforms/docker/existing-network";
import { DockerPlatform } from "../components/platforms/docker/platform";
import { takenHostPorts } from "../components/platforms/docker/host-ports";
import type { Problem } from "../components/settings/problems";
import { resolveSettings } from "../components/settings/resolve";
import { REMOVED_MARK } from "../components/resources/sql/worker-groups/statements";
import { workerWorkload } from "../components/worker-pool";
import { imagesWith } from "../config-files/images";
import { chooseCitus, type Existing } from "./citus";
import type { Environment } from "./environment";
import { guestPackages, GUESTS } from "./guests";
import { IMAGE_SETTINGS } from "./settings";

/** A small cluster on this machine's Docker engine. */
export const dev: Environment = {
  defaults: {
    etcd: { memory: "256Mi" },
    patroni: { memory: "768Mi" },
    workers: { groups: 2, members: 2 },
    proxy: { drainSeconds: 5 },
  },
  citus: async (settings) => chooseCitus(settings, await existing(settings.cluster)),
  platform: async ({ cluster, images, adopt }, citus) =>
    new DockerPlatform({
      cluster,
      adopt,
      existingNetwork: adopt?.cluster === cluster ? await existingNetwork(cluster) : undefined,
      caCertificates: images?.caCertificates,
      images: imagesWith({ ...images, citus: citus.package, guests: guestPackages(GUESTS) }),
    }),
  problems: async ({ cluster, images, certificates }, { ports, workerGroups }) => [
    ...issuerProblems(certificates?.issuer),
    ...resolveSettings(IMAGE_SETTINGS, images ?? {}, "images").problems,
    ...(await takenHostPorts(cluster, ports)),
    ...(await usedNumbers(cluster, workerGroups)),
  ],
};

/** The kind of an existing cluster. Data volumes are labelled with their workload. */
async function existing(cluster: string): Promise<Existing> {
  const workloads = await workloadsWithData(cluster);
  if (workloads.has(COORDINATOR_WORKLOAD)) return "distributed";
  return workloads.has(PATRONI_WORKLOAD) ? "replicated" : undefined;
}

/** Worker groups that reuse the number of a removed group. Their members would refuse to start with its data. */
async function usedNumbers(cluster: string, groups: readonly number[]): Promise<readonly Problem[]> {
  const workloads = groups.map(workerWorkload);
  const volumes = await abandonedVolumes(cluster, workloads, REMOVED_MARK);
  return groups.flatMap((group) => {
    const left = volumes.filter(({ workload }) => workload === workerWorkload(group));
    const names = left.map(({ volume }) => volume).sort();
    if (names.length === 0) return [];
    return {
      setting: "workers.groups",
      value: group,
      rule: `${group} is the number of a removed group, whose data still exist (${names.join(", ")})`,
      remedy: `List the groups (- group: 1, ...) and give the new group an unused number. Or, if the old data are no longer needed, run \`docker volume rm ${names.join(" ")}\`; if the group's removal is not finished, run an \`up\` without the group first`,
    };
  });
}

const issuerProblems = (issuer: { readonly name?: string } | undefined): Problem[] =>
  issuer === undefined
    ? []
    : [
        {
          setting: "certificates.issuer",
          value: issuer.name,
          rule: "needs cert-manager, which runs only on Kubernetes",
          remedy: "Remove it: on Docker the cluster has its own authority",
        },
      ];
