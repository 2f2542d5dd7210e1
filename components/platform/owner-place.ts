/**
 * The owner's mark: who may change a cluster, written down where its data are, so that it outlives every state.
 */
import { dockerMark } from "./docker/owner-mark";
import { kubernetesMark, kubernetesMarkByHand } from "./kubernetes/owner-mark";

/** Where the data of a cluster are, and with them its mark. */
export type OwnerPlace =
  | { readonly via: "docker"; readonly cluster: string }
  | { readonly via: "kubernetes"; readonly cluster: string; readonly namespace: string };

/** What the mark says. Only `owner` decides; the rest tells people whom to ask. */
export interface Mark {
  /** The random id in the owner's state. */
  readonly owner: string;
  readonly stack: string;
  readonly project: string;
  /** When it was marked, ISO 8601 in UTC. */
  readonly since: string;
}

/** What is there of a cluster, before anything is changed. */
export interface Seen {
  readonly mark?: Mark;
  /** Names of what holds its data: volumes, claims. */
  readonly data: readonly string[];
}

/** The mark of a cluster on one platform. */
export interface MarkStore {
  look(): Promise<Seen>;
  /**
   * Writes the mark in one step with a look at what is there: `make` gets the mark that would be overwritten, and throws when that must not be.
   * Of two who write at the same time, the second one sees the mark of the first.
   */
  write(make: (found: Mark | undefined) => Mark): Promise<void>;
  /** Takes the mark away. */
  remove(): Promise<void>;
}

/** How a person writes the mark; undefined where every owner can prove himself. */
export const markByHand = (place: OwnerPlace, owner: string): string | undefined =>
  place.via === "docker" ? undefined : kubernetesMarkByHand(place.namespace, place.cluster, owner);

export const markStore = (place: OwnerPlace): MarkStore =>
  place.via === "docker" ? dockerMark(place.cluster) : kubernetesMark(place.namespace, place.cluster);
