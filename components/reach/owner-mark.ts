/**
 * The owner's mark: who may change a cluster, written down where its data are, so that it outlives every state.
 */

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

export const markText = ({ owner, stack, project, since }: Mark): string =>
  `${JSON.stringify({ owner, stack, project, since })}\n`;

/** Never undefined for a text: one that cannot be read belongs to somebody, too. */
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
