/** Which platform's code answers for a cluster: the only place here that knows both. */
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

/** How a person writes the mark; undefined where every owner can prove himself. */
export const markByHand = (place: OwnerPlace, owner: string): string | undefined =>
  place.via === "docker" ? undefined : kubernetesMarkByHand(place.namespace, place.cluster, owner);

export const markStore = (place: OwnerPlace): MarkStore =>
  place.via === "docker" ? dockerMark(place.cluster) : kubernetesMark(place.namespace, place.cluster);

/** The members, for operators' commands. `clusterDomain` is the DNS domain of the Kubernetes cluster. */
export const clusterMembers = (place: OwnerPlace, clusterDomain = "cluster.local"): ClusterMembers =>
  place.via === "docker"
    ? dockerMembers(place.cluster)
    : kubernetesMembers({ cluster: place.cluster, namespace: place.namespace, clusterDomain });
