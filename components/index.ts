/** What other Pulumi projects import. */
export { CitusCoordinator, type CitusCoordinatorArgs } from "./citus-coordinator";
export { ClusterCertificates, type ClusterCertificatesArgs } from "./cluster-certificates";
export { EtcdCluster, type EtcdClusterArgs } from "./etcd-cluster";
export { PatroniCluster } from "./patroni-cluster";
export type { PatroniClusterArgs } from "./patroni-cluster-args";
export type { FailoverTiming, PatroniGroupSettings } from "./patroni-group-args";
export { DockerPlatform, type DockerPlatformArgs } from "./platform/docker/platform";
export { KubernetesPlatform, type KubernetesPlatformArgs } from "./platform/kubernetes/platform";
export type { Deployment, DeployOptions, Platform } from "./platform/platform";
export type { WorkloadSpec } from "./platform/workload";
export { ProxyTier } from "./proxy-tier";
export type { ProxyPorts, ProxyTierArgs } from "./proxy-tier-args";
export { WorkerPool } from "./worker-pool";
export type { WorkerGroupArgs, WorkerPoolArgs } from "./worker-pool-args";
export { DistributedTable, ReferenceTable } from "./sql/citus-table";
export type { DistributedTableArgs, ReferenceTableArgs } from "./sql/citus-table";
