/** Names of Kubernetes objects, made from the names in `../names.ts`. */
import { createHash } from "node:crypto";
import { type ClusterIdentity, replicaName, workloadName } from "../names";

export interface KubernetesIdentity extends ClusterIdentity {
  readonly namespace: string;
  /** The DNS domain of the Kubernetes cluster: `cluster.local` unless its administrator chose another one. */
  readonly clusterDomain: string;
}

/** Labels that select what belongs together; https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
export const selectorLabels = (id: ClusterIdentity, workload: string): Record<string, string> => ({
  "app.kubernetes.io/instance": id.cluster,
  "app.kubernetes.io/name": workload,
});

/** Selects every pod that runs an image of ours, whatever workload it belongs to. */
export const programLabels = (id: ClusterIdentity, image: string): Record<string, string> => ({
  "app.kubernetes.io/instance": id.cluster,
  "app.kubernetes.io/component": image,
});

export const objectLabels = (id: ClusterIdentity, workload?: string): Record<string, string> => ({
  ...(workload ? selectorLabels(id, workload) : { "app.kubernetes.io/instance": id.cluster }),
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/part-of": "postgres-cluster",
});

/**
 * On every object of ours: what its declaration says counts, also where somebody else has written last. Without, the API server refuses a field
 * that another manager of fields has set: of an adopted cluster, whose objects another state made; of what was changed by kubectl; of an object
 * whose creation was interrupted (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
 * That the cluster is this state's is asked before anything is changed.
 */
export const OBJECT_ANNOTATIONS = { "pulumi.com/patchForce": "true" } as const;

/** The headless Service gives each replica its name; it has the StatefulSet's own name. */
export const replicaAddress = (id: KubernetesIdentity, workload: string, ordinal: number): string =>
  `${replicaName(id, workload, ordinal)}.${workloadName(id, workload)}.${id.namespace}.svc.${id.clusterDomain}`;

/** The Service that leads to ready replicas only; the headless one also names those that start. */
export const readyServiceName = (id: ClusterIdentity, workload: string): string =>
  `${workloadName(id, workload)}-ready`;

/** The Service for clients outside. */
export const exposedServiceName = (id: ClusterIdentity, workload: string): string =>
  `${workloadName(id, workload)}-exposed`;

/** Bears the mark of the cluster's owner, and outlives every stack. */
export const ownerObjectName = (id: ClusterIdentity): string => `${id.cluster}-owner`;
export const OWNER_ANNOTATION = "postgres-cluster/owner";

export const secretName = (id: ClusterIdentity, secret: string): string => `${id.cluster}-${secret}`;

/** `/etc/haproxy/maps` of `pg-haproxy`: `pg-haproxy-etc-haproxy-maps`. */
export const configMapName = (workload: string, directory: string): string =>
  `${workload}-${directory
    .slice(1)
    .replace(/[^a-z0-9]+/gi, "-")
    .toLowerCase()}`;

/** A short digest that names content: another content is another object. */
export const contentHash = (files: Readonly<Record<string, string>>): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest("hex")
    .slice(0, 10);

/** The volume of a pod for a mount path: `etc-patroni`, `secrets-tls`. */
export const volumeName = (kind: string, path: string): string =>
  `${kind}-${path
    .slice(1)
    .replace(/[^a-z0-9]+/gi, "-")
    .toLowerCase()}`
    .slice(0, 63)
    .replace(/-$/, "");
