/** Names of Docker objects, made from the names in `../names.ts`. */

/** Labels of all objects that the platform creates; operators' commands find them by these. */
export const LABELS = {
  stack: "postgres-cluster.stack",
  workload: "postgres-cluster.workload",
  replica: "postgres-cluster.replica",
  /** On the short-lived containers that read and write a volume's files; the value is the volume's name. */
  helper: "postgres-cluster.helper",
} as const;

export const dataVolumeName = (replica: string): string => `${replica}-data`;
/** Holds the mark of the cluster's owner. */
export const ownerVolumeName = (cluster: string): string => `${cluster}-owner`;
export const secretVolumeName = (cluster: string, secret: string): string => `${cluster}-secret-${secret}`;

/** `/etc/haproxy/maps` of `pg-dev-haproxy`: `pg-dev-haproxy-files-etc-haproxy-maps`. */
export const filesVolumeName = (workload: string, directory: string): string =>
  `${workload}-files-${directory.slice(1).replace(/\//g, "-")}`;
