import { DockerPlatform } from "../components/platform/docker/platform";
import { takenHostPorts } from "../components/platform/docker/host-ports";
import type { Environment } from "./environment";

/** Everything small, on the Docker engine of this machine. */
export const dev: Environment = {
  defaults: {
    etcd: { memory: "256Mi" },
    patroni: { memory: "768Mi" },
  },
  platform: ({ cluster, images }) => new DockerPlatform({ cluster, caCertificates: images?.caCertificates }),
  problems: ({ cluster }, exposed) => takenHostPorts(cluster, exposed),
};
