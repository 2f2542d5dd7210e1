/** Names of the cluster's members. A test verifies that they are unique, DNS-valid and short enough. */

/** The prefix of all names. */
export interface ClusterIdentity {
  /** A DNS label of at most `CLUSTER_NAME_MAX` characters: `pg-dev`. */
  readonly cluster: string;
}

/** A DNS label (RFC 1123): lower-case letters, digits and hyphens, not at either end, at most 63 characters. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * `<cluster>-<workload>-<ordinal>` must be a DNS label. Kubernetes also appends an 11-character hash to a StatefulSet's name, in a label value
 * of at most 63 characters. The longest workload name is `coordinator`; `worker-100` fits too.
 */
export const CLUSTER_NAME_MAX = 30;

export const workloadName = (id: ClusterIdentity, workload: string): string => `${id.cluster}-${workload}`;
export const replicaName = (id: ClusterIdentity, workload: string, ordinal: number): string =>
  `${workloadName(id, workload)}-${ordinal}`;
