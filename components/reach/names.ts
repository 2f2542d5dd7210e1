/** Every name in the system. A test proves the names unique, DNS-valid and short enough. */

/** What every name starts with. */
export interface ClusterIdentity {
  /** A DNS label of at most `CLUSTER_NAME_MAX` characters: `pg-dev`. */
  readonly cluster: string;
}

/** A DNS label (RFC 1123): lower-case letters, digits and hyphens, not at either end, at most 63 characters. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * `<cluster>-<workload>-<ordinal>` must be a DNS label, and Kubernetes adds an 11-character hash to a StatefulSet's name in a label
 * of 63. The longest workload name is `coordinator`, with room for `worker-100`.
 */
export const CLUSTER_NAME_MAX = 30;

export const workloadName = (id: ClusterIdentity, workload: string): string => `${id.cluster}-${workload}`;
export const replicaName = (id: ClusterIdentity, workload: string, ordinal: number): string =>
  `${workloadName(id, workload)}-${ordinal}`;
