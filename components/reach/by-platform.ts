/** Selects the platform's implementation: the only module here that imports both. */
import type { ClusterMembers } from "./cluster-members";
import { dockerMembers } from "./docker/cluster-members";
import { existingDockerCluster } from "./docker/existing-cluster";
import { dockerMark } from "./docker/owner-mark";
import type { ExistingCluster } from "./existing-cluster";
import { kubernetesMembers } from "./kubernetes/cluster-members";
import { existingKubernetesCluster } from "./kubernetes/existing-cluster";
import { kubernetesMark, kubernetesMarkByHand } from "./kubernetes/owner-mark";
import type { MarkStore, OwnerPlace } from "./owner-mark";

export const existingCluster = (place: OwnerPlace): ExistingCluster =>
  place.via === "docker"
    ? existingDockerCluster(place.cluster)
    : existingKubernetesCluster(place.namespace, place.cluster);

/** The command that marks a cluster by hand; undefined on Docker, where an owner can always prove the ownership. */
export const markByHand = (place: OwnerPlace, owner: string): string | undefined =>
  place.via === "docker" ? undefined : kubernetesMarkByHand(place.namespace, place.cluster, owner);

export const markStore = (place: OwnerPlace): MarkStore =>
  place.via === "docker" ? dockerMark(place.cluster) : kubernetesMark(place.namespace, place.cluster);

/**
 * The members, for operators' commands.
 * @param up how a remedy calls `up` for this stack: `'make up STACK=prod'`
 * @param clusterDomain the DNS domain of the Kubernetes cluster
 */
export const clusterMembers = (place: OwnerPlace, up: string, clusterDomain: () => string): ClusterMembers =>
  place.via === "docker"
    ? dockerMembers(place.cluster, up)
    : kubernetesMembers({
        cluster: place.cluster,
        namespace: place.namespace,
        clusterDomain: clusterDomain(),
      });
