/**
 * The owner's mark: who may change a cluster. It is stored next to the cluster's data, so that it survives the loss of any Pulumi state.
 */

/** Where the data of a cluster and its mark are. */
export type OwnerPlace =
  | { readonly via: "docker"; readonly cluster: string }
  | { readonly via: "kubernetes"; readonly cluster: string; readonly namespace: string };

/** The content of the mark. Only `owner` decides; the rest tells people whom to ask. */
export interface Mark {
  /** The random id in the owner's state. */
  readonly owner: string;
  readonly stack: string;
  readonly project: string;
  /** When it was marked, ISO 8601 in UTC. */
  readonly since: string;
}

/** What exists of a cluster before anything is changed. */
export interface Seen {
  readonly mark?: Mark;
  /** Names of its data volumes or claims. */
  readonly data: readonly string[];
}

/** The mark of a cluster on one platform. */
export interface MarkStore {
  look(): Promise<Seen>;
  /**
   * Reads and writes the mark atomically: `make` gets the mark that would be overwritten, and throws if it must not be.
   * Of two concurrent writers, the second one sees the mark of the first.
   */
  write(make: (found: Mark | undefined) => Mark): Promise<void>;
  /** Removes the mark. */
  remove(): Promise<void>;
}

export const markText = ({ owner, stack, project, since }: Mark): string =>
  `${JSON.stringify({ owner, stack, project, since })}\n`;

/** Never undefined: an unreadable mark also means that the cluster has an owner. */
export function readMark(text: string): Mark {
  let read: Partial<Record<keyof Mark, unknown>>;
  try {
    read = (JSON.parse(text) ?? {}) as typeof read;
  } catch {
    read = {};
  }
  const say = (value: unknown): string =>
    typeof value === "string" && value !== "" ? value : "(unreadable)";
  return {
    owner: say(read.owner),
    stack: say(read.stack),
    project: say(read.project),
    since: say(read.since),
  };
}
