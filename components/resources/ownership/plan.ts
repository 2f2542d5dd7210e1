/** Whose a cluster is. Pure: the providers look, and write what was decided. */
import type { Mark, Seen } from "../../reach/owner-mark";

/** What a state says of itself. */
export interface Claim {
  readonly cluster: string;
  /** The state's own id; another state has another one. */
  readonly owner: string;
  /** The state had this id before, and it was good then. */
  readonly known: boolean;
  readonly stack: string;
  readonly project: string;
  /** Where the mark lies, for people. */
  readonly where: string;
}

export type Verdict =
  /** Nobody's, or this state's: go on. */
  | { readonly verdict: "ours" }
  /**
   * There are data and no mark, as of a cluster that was made before there were marks: whoever knows its secrets is its owner. `refusal` is
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

/** The ways out of a refusal, whoever the owner is. */
const waysOut = ({ cluster }: Claim): string =>
  [
    `  - its state is elsewhere: import it (pulumi stack export there, pulumi stack import here), or run this from there`,
    `  - a cluster of its own is meant: give it another name (setting \`cluster\`)`,
    `  - its state is lost, or given up: adopt the cluster (set \`adopt.cluster\` to ${cluster}), step by step in docs/runbooks/adopt-a-cluster.md`,
  ].join("\n");

function foreign(claim: Claim, mark: Mark, data: readonly string[]): string {
  const { cluster, where, stack, project, known, owner } = claim;
  const self = known
    ? `this state (stack ${stack} of ${project}) is ${owner}`
    : `this state (stack ${stack} of ${project}) does not know it`;
  return (
    `the cluster ${cluster} belongs to the stack ${mark.stack} of the project ${mark.project}, since ${mark.since} ` +
    `(owner ${mark.owner}, written in ${where}), and ${self}. Nothing was changed. Ways out:\n${waysOut(claim)}` +
    (data.length === 0 ? `\n  - nothing is left of it but this mark: delete ${where}` : "")
  );
}

function unknown(claim: Claim, data: readonly string[]): string {
  const { cluster, stack, project } = claim;
  return (
    `there are data of a cluster ${cluster} (${some(data)}), and this state (stack ${stack} of ${project}) does not know it: ` +
    `it has none of its secrets. Nothing was changed. Ways out:\n${waysOut(claim)}`
  );
}

const some = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
