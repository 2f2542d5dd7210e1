import { COORDINATOR_WORKLOAD } from "../components/citus-coordinator";
import { PATRONI_WORKLOAD } from "../components/patroni-cluster";
import { workloadsWithData } from "../components/platform/docker/existing-data";
import { DockerPlatform } from "../components/platform/docker/platform";
import { takenHostPorts } from "../components/platform/docker/host-ports";
import type { Problem } from "../components/problems";
import { DEBIAN_PACKAGE, imagesWith } from "../config-files/images";
import { chooseCitus, type Existing } from "./citus";
import type { Environment } from "./environment";

/** Everything small, on the Docker engine of this machine. */
export const dev: Environment = {
  defaults: {
    etcd: { memory: "256Mi" },
    patroni: { memory: "768Mi" },
    workers: { groups: 2, members: 2 },
  },
  citus: async (settings) => chooseCitus(settings, await existing(settings.cluster)),
  platform: ({ cluster, images }, citus) =>
    new DockerPlatform({
      cluster,
      caCertificates: images?.caCertificates,
      images: imagesWith({ ...images, citus: citus.package }),
    }),
  problems: async ({ cluster, images }, exposed) => [
    ...packageProblems(images?.postgresPackages ?? []),
    ...(await takenHostPorts(cluster, exposed)),
  ],
};

/** What the cluster's data volumes say it is. They are labelled with the workload that they belong to. */
async function existing(cluster: string): Promise<Existing> {
  const workloads = await workloadsWithData(cluster);
  if (workloads.has(COORDINATOR_WORKLOAD)) return "distributed";
  return workloads.has(PATRONI_WORKLOAD) ? "replicated" : undefined;
}

const packageProblems = (packages: readonly string[]): Problem[] =>
  packages
    .filter((name) => !DEBIAN_PACKAGE.test(name))
    .map((name) => ({
      setting: "images.postgresPackages",
      value: name,
      rule: "must be the name of a Debian package: lower-case letters, digits, plus, minus and full stop",
      remedy: "Write for instance postgresql-17-cron",
    }));
