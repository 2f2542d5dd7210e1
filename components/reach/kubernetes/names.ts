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

/** Selects every pod that runs one of our images, whatever its workload. */
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
 * On every object of ours: the declaration overrides what other field managers have written. Without it, the API server rejects changes of
 * fields with another manager: in an adopted cluster, whose objects another state created, after a change with kubectl, or after an interrupted
 * creation (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/).
 * That this state owns the cluster is checked before anything is changed.
 */
export const OBJECT_ANNOTATIONS = { "pulumi.com/patchForce": "true" } as const;

/** The headless Service gives each replica its name; it has the StatefulSet's own name. */
export const replicaAddress = (id: KubernetesIdentity, workload: string, ordinal: number): string =>
  `${replicaName(id, workload, ordinal)}.${workloadName(id, workload)}.${id.namespace}.svc.${id.clusterDomain}`;

/** The Service that routes to ready replicas only; the headless one also resolves to those that are starting. */
export const readyServiceName = (id: ClusterIdentity, workload: string): string =>
  `${workloadName(id, workload)}-ready`;

/** The Service for clients outside. */
export const exposedServiceName = (id: ClusterIdentity, workload: string): string =>
  `${workloadName(id, workload)}-exposed`;

/** Holds the mark of the cluster's owner, and is not deleted with the stack. */
export const ownerObjectName = (id: ClusterIdentity): string => `${id.cluster}-owner`;
export const OWNER_ANNOTATION = "postgres-cluster/owner";

export const secretName = (id: ClusterIdentity, secret: string): string => `${id.cluster}-${secret}`;

/** `/etc/haproxy/maps` of `pg-haproxy`: `pg-haproxy-etc-haproxy-maps`. */
export const configMapName = (workload: string, directory: string): string =>
  `${workload}-${directory
    .slice(1)
    .replace(/[^a-z0-9]+/gi, "-")
    .toLowerCase()}`;

/** A short digest of the content for an object's name: other content is a new object. */
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
