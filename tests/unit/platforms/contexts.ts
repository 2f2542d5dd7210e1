import type { DockerContext } from "../../../components/platforms/docker/render";
import type { KubernetesContext } from "../../../components/platforms/kubernetes/render";

export const DOCKER: DockerContext = {
  cluster: "pg-dev",
  network: "pg-dev",
  image: "postgres-cluster/patroni:17-0123456789ab",
};

export const KUBERNETES: KubernetesContext = {
  cluster: "pg-dev",
  namespace: "postgres",
  clusterDomain: "cluster.local",
  image: "registry.example.com/postgres-cluster/patroni:17-4.1.5-1",
  exposeAs: "LoadBalancer",
};
