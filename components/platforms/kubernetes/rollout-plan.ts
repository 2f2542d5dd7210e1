/** Which member of a StatefulSet a rolling change replaces next. Pure. */
import type { MemberPod } from "../../reach/kubernetes/pods";

export type RolloutStep =
  | { readonly is: "done" }
  /** Nothing may be done now. */
  | { readonly is: "wait"; readonly why: string }
  | { readonly is: "replace"; readonly pod: string };

/** Why not every member is there and ready; empty when they are. */
export function unreadyMembers(members: readonly string[], pods: readonly MemberPod[]): string[] {
  return members.flatMap((name) => {
    const pod = pods.find((other) => other.name === name);
    if (pod === undefined) return [`${name} does not exist yet`];
    if (pod.ending) return [`${name} is ending`];
    return pod.ready ? [] : [`${name} is not ready (${pod.state})`];
  });
}

/**
 * One member at a time, and only while every other one is ready: two down at once could be a majority. First those that are not ready
 * anyway; last the one that `last` names, the leader, so that clients see one change of it and not several.
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
  // It is down already: to replace it takes nobody away, and may be what mends it.
  const broken = outdated.find((name) => pods.some((pod) => pod.name === name && !pod.ready && !pod.ending));
  if (broken !== undefined && members.every((name) => pods.some((pod) => pod.name === name && !pod.ending)))
    return { is: "replace", pod: broken };
  if (unready.length > 0) return { is: "wait", why: unready.join("; ") };
  const next = outdated.find((name) => name !== last) ?? outdated[0];
  return next === undefined ? { is: "done" } : { is: "replace", pod: next };
}
