/** Which member of a StatefulSet a rolling update replaces next. Pure. */
import type { MemberPod } from "../../reach/kubernetes/pods";

export type RolloutStep =
  | { readonly is: "done" }
  /** No member may be replaced now. */
  | { readonly is: "wait"; readonly why: string }
  | { readonly is: "replace"; readonly pod: string };

/** Why members are not ready; empty if all are. */
export function unreadyMembers(members: readonly string[], pods: readonly MemberPod[]): string[] {
  return members.flatMap((name) => {
    const pod = pods.find((other) => other.name === name);
    if (pod === undefined) return [`${name} does not exist yet`];
    if (pod.ending) return [`${name} is terminating`];
    return pod.ready ? [] : [`${name} is not ready (${pod.state})`];
  });
}

/**
 * Replaces one member at a time, and only while all others are ready: two down at once could be a majority. Members that are not ready
 * come first. The one that `last` names, the leader, comes last, so that clients see a single switchover.
 */
export function nextRolloutStep(
  members: readonly string[],
  pods: readonly MemberPod[],
  revision: string,
  last?: string,
): RolloutStep {
  const outdated = members.filter((name) =>
    pods.some((pod) => pod.name === name && pod.revision !== revision),
  );
  const unready = unreadyMembers(members, pods);
  // It is already down: replacing it does not reduce availability and may repair it.
  const broken = outdated.find((name) => pods.some((pod) => pod.name === name && !pod.ready && !pod.ending));
  if (broken !== undefined && members.every((name) => pods.some((pod) => pod.name === name && !pod.ending)))
    return { is: "replace", pod: broken };
  if (unready.length > 0) return { is: "wait", why: unready.join("; ") };
  const next = outdated.find((name) => name !== last) ?? outdated[0];
  return next === undefined ? { is: "done" } : { is: "replace", pod: next };
}
