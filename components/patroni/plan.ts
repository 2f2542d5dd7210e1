import type { ClusterStatus, MemberStatus, PendingRestart } from "./status";

/** What to change in Patroni's dynamic configuration, and which member to restart next. Pure. */

/** A JSON value; the dynamic configuration is an object of them. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Patroni compares scalars by their text (`utils.patch_config`), so that 100 and "100" are the same to it. */
function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const text = (value: Json): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "number" || typeof inner === "boolean" ? String(inner) : inner,
    );
  return text(a) === text(b);
}

function withoutNulls(value: Json): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

/**
 * The smallest PATCH that makes the live configuration what is declared. A key that was declared before and no longer is gets null,
 * which removes it; keys that were never ours are left alone. Undefined when there is nothing to do.
 */
export function planPatch(live: JsonObject, desired: JsonObject, before: JsonObject): JsonObject | undefined {
  const patch: Record<string, Json> = {};
  for (const [key, value] of Object.entries(desired)) {
    const is = live[key];
    const was = before[key];
    if (isObject(value) && isObject(is)) {
      const inner = planPatch(is, value, isObject(was) ? was : {});
      if (inner !== undefined) patch[key] = inner;
    } else if (value === null) {
      if (is !== undefined) patch[key] = null;
    } else if (!sameValue(is, value)) {
      // Where there is no object to patch, Patroni stores what it gets, nulls included.
      patch[key] = withoutNulls(value);
    }
  }
  for (const [key, was] of Object.entries(before)) {
    const is = live[key];
    if (key in desired || is === undefined) continue;
    if (isObject(was) && isObject(is)) {
      // Somebody else's keys may live beside ours.
      const inner = planPatch(is, {}, was);
      const emptied = inner !== undefined && Object.keys(is).every((other) => inner[other] === null);
      if (emptied) patch[key] = null;
      else if (inner !== undefined) patch[key] = inner;
    } else {
      patch[key] = null;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

/** The leaves of a patch as paths with their values, for progress lines: `postgresql.parameters.work_mem = 8MB`. */
export function describePatch(patch: JsonObject, path = ""): readonly string[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const here = path === "" ? key : `${path}.${key}`;
    if (isObject(value)) return describePatch(value, here);
    return [
      value === null
        ? `${here} removed`
        : `${here} = ${typeof value === "string" ? value : JSON.stringify(value)}`,
    ];
  });
}

export type RestartStep =
  | { readonly do: "done" }
  /** Not yet: the reason, which is also the error when it stays. */
  | { readonly do: "wait"; readonly why: string }
  | { readonly do: "restart"; readonly member: string; readonly why: string }
  | { readonly do: "switchover"; readonly from: string };

/** Settings that a standby must not have lower than its primary: it keeps the old value until the primary has run with the new one. */
const PRIMARY_FIRST =
  "max_connections max_worker_processes max_wal_senders max_prepared_transactions max_locks_per_transaction";

/** The settings whose lowering must begin on the leader. */
function lowered(pending: PendingRestart | undefined): readonly string[] {
  return Object.entries(pending ?? {})
    .filter(([name, { old_value, new_value }]) => {
      return PRIMARY_FIRST.split(" ").includes(name.toLowerCase()) && Number(new_value) < Number(old_value);
    })
    .map(([name]) => name);
}

export function describePending(pending: PendingRestart): string {
  return Object.entries(pending)
    .map(([name, { old_value, new_value }]) => `${name} ${old_value} -> ${new_value}`)
    .join(", ");
}

/** The best replica to lead: synchronous first (it has every acknowledged commit), then the least behind; undefined when none is fit. */
export function chooseCandidate(status: ClusterStatus): MemberStatus | undefined {
  const rank = (member: MemberStatus): number => (member.role === "replica" ? 1 : 0);
  const fit = status.members.filter(
    (member) =>
      member.name !== status.leader && member.role !== undefined && member.streaming && !member.barred,
  );
  const synchronous = fit.filter((member) => rank(member) === 0);
  // Where there are synchronous replicas, one that is not may lack acknowledged commits.
  const eligible = synchronous.length > 0 ? synchronous : fit;
  return [...eligible].sort(
    (a, b) => (a.lagBytes ?? Infinity) - (b.lagBytes ?? Infinity) || (a.name < b.name ? -1 : 1),
  )[0];
}

/** What keeps the cluster from being whole; undefined when it is. */
export function notWhole(status: ClusterStatus): string | undefined {
  const { leader } = status;
  if (leader === undefined) return "the cluster has no leader";
  const reasons = status.members.flatMap((member): string[] => {
    if (member.problem !== undefined) return [`${member.name} does not answer: ${member.problem}`];
    if (member.role === undefined) return [`${member.name} is unknown to the DCS`];
    if (member.state !== "running") return [`${member.name} is ${member.state ?? "without PostgreSQL"}`];
    if (member.name !== leader && !member.streaming) return [`${member.name} does not stream from ${leader}`];
    return [];
  });
  return reasons.length === 0 ? undefined : reasons.join("; ");
}

/**
 * The next step of a rolling restart: replicas one by one, then the leader hands over to a restarted one and is restarted as a
 * replica. One step at a time and from what is seen, so that an interrupted run goes on where it stopped.
 *
 * Where a setting is lowered that a standby must not have below its primary, the leader is restarted in place, and the replicas
 * after it: a new leader would run with the old value, and keep everybody on it.
 */
export function planRestart(status: ClusterStatus): RestartStep {
  const pending = status.members.flatMap(({ name, pendingRestart }) =>
    pendingRestart === undefined ? [] : [{ name, reasons: pendingRestart }],
  );
  const problem = notWhole(status);
  if (problem !== undefined) return { do: "wait", why: problem };
  if (pending.length === 0) return { do: "done" };
  if (status.paused) return { do: "wait", why: "Patroni is paused (patronictl resume ends that)" };

  const leader = pending.find((member) => member.name === status.leader);
  const leaderLowers = lowered(leader?.reasons);
  for (const member of pending.filter((other) => other.name !== status.leader)) {
    const names = Object.keys(member.reasons);
    const onlyAfterLeader = names.length > 0 && names.every((name) => leaderLowers.includes(name));
    if (!onlyAfterLeader) return { do: "restart", member: member.name, why: describePending(member.reasons) };
  }
  if (leader === undefined) return { do: "done" };
  if (status.members.length === 1 || leaderLowers.length > 0) {
    return { do: "restart", member: leader.name, why: describePending(leader.reasons) };
  }
  if (chooseCandidate(status) === undefined)
    return { do: "wait", why: `no replica is fit to take over from ${leader.name}` };
  return { do: "switchover", from: leader.name };
}
