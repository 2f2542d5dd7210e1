/** Decides who owns a cluster. Pure: the providers read and write the mark. */
import type { Mark, Seen } from "../../reach/owner-mark";

/** What a state claims. */
export interface Claim {
  readonly cluster: string;
  /** The state's own id, unique per state. */
  readonly owner: string;
  /** The state had this id before, and it was accepted then. */
  readonly known: boolean;
  readonly stack: string;
  readonly project: string;
  /** Where the mark is, for messages. */
  readonly where: string;
}

export type Verdict =
  /** The cluster has no owner, or this state owns it: continue. */
  | { readonly verdict: "ours" }
  /**
   * There are data but no mark, as for a cluster from before marks existed: a state that knows its secrets owns it. `refusal` is
   * for a state that does not.
   */
  | { readonly verdict: "unproven"; readonly refusal: string }
  | { readonly verdict: "refused"; readonly refusal: string };

/** Decides before anything is changed. */
export function planOwnership(claim: Claim, seen: Seen): Verdict {
  if (seen.mark !== undefined) {
    return seen.mark.owner === claim.owner
      ? { verdict: "ours" }
      : { verdict: "refused", refusal: foreign(claim, seen.mark, seen.data) };
  }
  if (seen.data.length === 0 || claim.known) return { verdict: "ours" };
  return { verdict: "unproven", refusal: unknown(claim, seen.data) };
}

/** The remedies for a refusal. */
const waysOut = ({ cluster }: Claim): string =>
  [
    `  - if its state is elsewhere: import it (pulumi stack export there, pulumi stack import here), or run this command there`,
    `  - if you want a new cluster: give it another name (setting \`cluster\`)`,
    `  - if its state is lost or abandoned: adopt the cluster (set \`adopt.cluster\` to ${cluster}) as described in docs/runbooks/adopt-a-cluster.md`,
  ].join("\n");

function foreign(claim: Claim, mark: Mark, data: readonly string[]): string {
  const { cluster, where, stack, project, known, owner } = claim;
  const self = known
    ? `this state (stack ${stack} of ${project}) is ${owner}`
    : `this state (stack ${stack} of ${project}) does not know it`;
  return (
    `the cluster ${cluster} belongs to the stack ${mark.stack} of the project ${mark.project}, since ${mark.since} ` +
    `(owner ${mark.owner}, recorded in ${where}), but ${self}. Nothing was changed. What you can do:\n${waysOut(claim)}` +
    (data.length === 0 ? `\n  - only this mark is left of the cluster: delete ${where}` : "")
  );
}

function unknown(claim: Claim, data: readonly string[]): string {
  const { cluster, stack, project } = claim;
  return (
    `data of a cluster ${cluster} exist (${some(data)}), but this state (stack ${stack} of ${project}) has none of its secrets. ` +
    `Nothing was changed. What you can do:\n${waysOut(claim)}`
  );
}

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
