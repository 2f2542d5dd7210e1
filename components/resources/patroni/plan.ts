import type { ClusterStatus, MemberStatus, PendingRestart } from "./status";

/** What to change in Patroni's dynamic configuration, and which member to restart next. Pure. */

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Patroni compares scalars as text (`utils.patch_config`), so 100 and "100" are equal. */
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
 * The smallest PATCH that changes the live configuration to the declared one. A key that is no longer declared is set to null, which removes
 * it; keys that were never declared are not changed. Undefined if there is nothing to do.
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
      // If there is no object to merge into, Patroni stores the value as it is, nulls included.
      patch[key] = withoutNulls(value);
    }
  }
  for (const [key, was] of Object.entries(before)) {
    const is = live[key];
    if (key in desired || is === undefined) continue;
    if (isObject(was) && isObject(is)) {
      // The object may also contain keys that we did not declare.
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

/** The leaves of a patch, for progress lines: `postgresql.parameters.work_mem = 8MB`. */
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
  /** The reason is also the error if the wait times out. */
  | { readonly do: "wait"; readonly why: string }
  | { readonly do: "restart"; readonly member: string; readonly why: string }
  | { readonly do: "switchover"; readonly from: string };

/** According to the DCS, it is one of the standbys that confirm commits. */
const isSynchronous = ({ role }: MemberStatus): boolean =>
  role === "quorum_standby" || role === "sync_standby";

/** Parameters that must not be lower on a standby than on its primary: a standby keeps the old value until the primary runs with the new one. */
const PRIMARY_FIRST =
  "max_connections max_worker_processes max_wal_senders max_prepared_transactions max_locks_per_transaction";

/** Lowered parameters that must take effect on the leader first. */
function lowered(pending: PendingRestart | undefined): readonly string[] {
  return Object.entries(pending ?? {})
    .filter(([name, { old_value, new_value }]) => {
      return PRIMARY_FIRST.split(" ").includes(name.toLowerCase()) && Number(new_value) < Number(old_value);
    })
    .map(([name]) => name);
}

export function describePending(pending: PendingRestart): string {
  const settings = Object.entries(pending).map(
    ([name, { old_value, new_value }]) => `${name} ${old_value} -> ${new_value}`,
  );
  return settings.join(", ") || "requested";
}

/**
 * The best switchover candidate. With synchronous replication, only a synchronous standby: another one may lack commits, and Patroni would
 * refuse it. Among several, the one with the least lag. Undefined if no member can take over at the moment.
 */
export function chooseCandidate(status: ClusterStatus): MemberStatus | undefined {
  return status.members
    .filter((member) => notFit(status, member) === undefined)
    .sort((a, b) => (a.lagBytes ?? Infinity) - (b.lagBytes ?? Infinity) || (a.name < b.name ? -1 : 1))[0];
}

/** Why a member cannot take over at the moment; undefined if it can. */
function notFit({ leader, synchronous }: ClusterStatus, member: MemberStatus): string | undefined {
  if (member.name === leader) return `${member.name} is already the leader`;
  if (member.problem !== undefined) return `${member.name} does not answer: ${member.problem}`;
  if (member.role === undefined) return `${member.name} is unknown to the DCS`;
  if (member.barred)
    return `${member.name} must not become the leader (tag nofailover, or failover_priority 0)`;
  if (!member.streaming) return `${member.name} does not stream from ${leader ?? "a leader"}`;
  if (synchronous !== "off" && !isSynchronous(member)) return `${member.name} is not synchronous yet`;
  return undefined;
}

/**
 * Why Patroni would refuse a switchover, to `candidate` if given; undefined if it is possible. `forGood`: waiting does not help.
 */
export function cannotHandOver(
  status: ClusterStatus,
  candidate?: string,
): { readonly why: string; readonly forGood: boolean } | undefined {
  const names = status.members.map(({ name }) => name);
  if (candidate !== undefined) {
    const member = status.members.find(({ name }) => name === candidate);
    if (member === undefined)
      return { why: `there is no member "${candidate}"; the members are ${names.join(", ")}`, forGood: true };
    const why = notFit(status, member);
    return why === undefined ? undefined : { why, forGood: member.barred || candidate === status.leader };
  }
  if (status.members.length === 1) return { why: `${names.join()} is the only member`, forGood: true };
  if (status.paused)
    return {
      why: "Patroni is paused, and then only switches over to a named candidate: name one, or end the pause with patronictl resume",
      forGood: true,
    };
  if (chooseCandidate(status) !== undefined) return undefined;
  const others = status.members.filter(({ name }) => name !== status.leader);
  const reasons = others.flatMap((member) => notFit(status, member) ?? []);
  const why = `no replica can take over from ${status.leader ?? "the leader"} (${reasons.join("; ")})`;
  return { why, forGood: others.every(({ barred }) => barred) };
}

/**
 * Why the cluster is not fully healthy; undefined if it is. A replica that streams does not confirm commits yet. Until the leader counts it
 * as synchronous, no member might be able to take over while the others are restarted.
 */
export function notWhole(status: ClusterStatus): string | undefined {
  const { leader, synchronous } = status;
  if (leader === undefined) return "the cluster has no leader";
  const reasons = status.members.flatMap((member): string[] => {
    if (member.problem !== undefined) return [`${member.name} does not answer: ${member.problem}`];
    if (member.role === undefined) return [`${member.name} is unknown to the DCS`];
    if (member.state !== "running") return [`${member.name} is in state ${member.state ?? "unknown"}`];
    if (member.name !== leader && !member.streaming) return [`${member.name} does not stream from ${leader}`];
    return [];
  });
  if (reasons.length > 0) return reasons.join("; ");
  const replicas = status.members.filter(({ name, barred }) => name !== leader && !barred);
  const behind = synchronous === "off" ? [] : replicas.filter((member) => !isSynchronous(member));
  // In mode `on` Patroni selects as many as it needs; in mode `quorum` every replica must be included.
  if (behind.length === 0 || (synchronous === "on" && behind.length < replicas.length)) return undefined;
  return behind.map(({ name }) => `${name} is not synchronous yet`).join("; ");
}

/** Whether a member is to be restarted. */
export type Due = (member: MemberStatus) => boolean;

/** Members that run with old values of parameters that need a restart. */
export const waitsForRestart: Due = ({ pendingRestart }) => pendingRestart !== undefined;

/**
 * The next step of a rolling restart of the members that are `due`: replicas one by one, then a switchover to a restarted one, which
 * restarts the former leader as a replica. Each step is planned from the current state, so an interrupted run continues where it stopped.
 *
 * If a parameter is lowered that must not be lower on a standby than on its primary, the leader is restarted in place, and the replicas
 * after it: a new leader would run with the old value, and no standby could use the new one.
 */
export function planRestart(status: ClusterStatus, due: Due = waitsForRestart): RestartStep {
  const waiting = status.members
    .filter(due)
    .map(({ name, pendingRestart = {} }) => ({ name, reasons: pendingRestart }));
  const problem = notWhole(status);
  if (problem !== undefined) return { do: "wait", why: problem };
  if (waiting.length === 0) return { do: "done" };
  if (status.paused) return { do: "wait", why: "Patroni is paused: end the pause with patronictl resume" };

  const leader = waiting.find((member) => member.name === status.leader);
  const leaderLowers = lowered(leader?.reasons);
  for (const member of waiting.filter((other) => other.name !== status.leader)) {
    const names = Object.keys(member.reasons);
    const onlyAfterLeader = names.length > 0 && names.every((name) => leaderLowers.includes(name));
    if (!onlyAfterLeader) return { do: "restart", member: member.name, why: describePending(member.reasons) };
  }
  if (leader === undefined) return { do: "done" };
  if (status.members.length === 1 || leaderLowers.length > 0) {
    return { do: "restart", member: leader.name, why: describePending(leader.reasons) };
  }
  const obstacle = cannotHandOver(status);
  return obstacle === undefined ? { do: "switchover", from: leader.name } : { do: "wait", why: obstacle.why };
}
