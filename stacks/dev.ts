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

/** Everything small, on the Docker engine of this machine. */
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

/** What the cluster's data volumes say it is. They are labelled with the workload that they belong to. */
async function existing(cluster: string): Promise<Existing> {
  const workloads = await workloadsWithData(cluster);
  if (workloads.has(COORDINATOR_WORKLOAD)) return "distributed";
  return workloads.has(PATRONI_WORKLOAD) ? "replicated" : undefined;
}

/** Worker groups whose number belonged to one that was removed. Their members would refuse to start with its data. */
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
      rule: `${group} is the number of a group that was removed, and its data are still there (${names.join(", ")})`,
      remedy: `Name the groups (- group: 1, ...) and give the new one a number that none had; or, when nobody needs the old data, \`docker volume rm ${names.join(" ")}\`, after an \`up\` without the group where it is still about to leave`,
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
          rule: "needs cert-manager, which runs on Kubernetes only",
          remedy: "Remove it: here the cluster has an authority of its own",
        },
      ];
