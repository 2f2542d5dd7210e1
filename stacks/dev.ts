import { DockerPlatform } from "../components/platform/docker/platform";
import { takenHostPorts } from "../components/platform/docker/host-ports";
import type { Problem } from "../components/problems";
import { DEBIAN_PACKAGE, imagesWith } from "../config-files/images";
import type { Environment } from "./environment";

/** Everything small, on the Docker engine of this machine. */
export const dev: Environment = {
  defaults: {
    etcd: { memory: "256Mi" },
    patroni: { memory: "768Mi" },
  },
  platform: ({ cluster, images }) =>
    new DockerPlatform({ cluster, caCertificates: images?.caCertificates, images: imagesWith(images ?? {}) }),
  problems: async ({ cluster, images }, exposed) => [
    ...packageProblems(images?.postgresPackages ?? []),
    ...(await takenHostPorts(cluster, exposed)),
  ],
};

const packageProblems = (packages: readonly string[]): Problem[] =>
  packages
    .filter((name) => !DEBIAN_PACKAGE.test(name))
    .map((name) => ({
      setting: "images.postgresPackages",
      value: name,
      rule: "must be the name of a Debian package: lower-case letters, digits, plus, minus and full stop",
      remedy: "Write for instance postgresql-17-cron",
    }));
