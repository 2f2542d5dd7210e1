import type { PatroniRest } from "./rest";
import { reasonOf } from "../../dynamic/reason";

/** Why a member has a pending restart: the parameters, with the current and the configured value. */
export type PendingRestart = Readonly<
  Record<string, { readonly old_value: string; readonly new_value: string }>
>;

export interface MemberStatus {
  readonly name: string;
  /** According to the DCS: `leader`, `standby_leader`, `quorum_standby`, `sync_standby` or `replica`; undefined if the DCS does not know the member. */
  readonly role?: string;
  /** State of PostgreSQL, from the member itself: `running`, `starting`, `stopped`, ...; undefined if the member does not answer. */
  readonly state?: string;
  /** Receives WAL from the leader in state `streaming`. Meaningless for the leader. */
  readonly streaming: boolean;
  readonly pendingRestart?: PendingRestart;
  /** Must not become the leader (tags `nofailover`, `failover_priority: 0`). */
  readonly barred: boolean;
  /** Start time of its PostgreSQL, as the member formats it. Differs after each restart; undefined while PostgreSQL is not running. */
  readonly startedAt?: string;
  readonly timeline?: number;
  /** Replication lag in bytes; undefined if unknown. */
  readonly lagBytes?: number;
  /** Why the member does not answer. */
  readonly problem?: string;
}

export interface ClusterStatus {
  readonly leader?: string;
  /** Paused by `patronictl pause`: no automatic failover. */
  readonly paused: boolean;
  /**
   * Which standbys confirm commits: with `quorum` enough of all replicas, with `on` those that Patroni selects, with `off` none. Only a member
   * that the DCS lists as synchronous may take over; after a start, the leader must see the member before it is listed.
   */
  readonly synchronous: "off" | "on" | "quorum";
  readonly members: readonly MemberStatus[];
}

interface ClusterAnswer {
  readonly pause?: boolean;
  readonly members?: readonly {
    readonly name: string;
    readonly role: string;
    readonly timeline?: number;
    readonly lag?: number | string;
    readonly tags?: Readonly<Record<string, unknown>>;
  }[];
}

interface MemberAnswer {
  readonly state?: string;
  readonly postmaster_start_time?: string | null;
  readonly pending_restart_reason?: PendingRestart;
  readonly pending_restart?: boolean;
  readonly dcs_last_seen?: number;
  readonly replication?: readonly { readonly application_name: string; readonly state: string }[];
}

/** Part of the dynamic configuration. */
interface ConfigurationAnswer {
  readonly synchronous_mode?: string | boolean;
}

/** Interprets the value as Patroni does (`GlobalConfig.is_synchronous_mode` in its global_config.py). */
function synchronousMode({
  synchronous_mode: mode = false,
}: ConfigurationAnswer): ClusterStatus["synchronous"] {
  const text = String(mode).toLowerCase();
  if (text === "quorum") return "quorum";
  return ["on", "true", "yes", "1"].includes(text) ? "on" : "off";
}

/**
 * Combines the state in the DCS (from any member) with each member's own state. Only for the `expected` members: the DCS lists a removed
 * member until its lease expires, and it must not be waited for.
 */
export function clusterStatus(
  expected: readonly string[],
  cluster: ClusterAnswer,
  answers: ReadonlyMap<string, MemberAnswer | Error>,
  configuration: ConfigurationAnswer,
): ClusterStatus {
  const inDcs = cluster.members ?? [];
  const leader = inDcs.find((member) => member.role === "leader" || member.role === "standby_leader")?.name;
  const leaderAnswer = leader === undefined ? undefined : answers.get(leader);
  const senders = leaderAnswer instanceof Error ? [] : (leaderAnswer?.replication ?? []);
  return {
    leader,
    paused: cluster.pause === true,
    synchronous: synchronousMode(configuration),
    members: expected.map((name) => {
      const known = inDcs.find((member) => member.name === name);
      const answer = answers.get(name);
      const own = answer instanceof Error ? undefined : answer;
      return {
        name,
        role: known?.role,
        state: own?.state,
        streaming: senders.some((sender) => sender.application_name === name && sender.state === "streaming"),
        pendingRestart: own?.pending_restart === true ? (own.pending_restart_reason ?? {}) : undefined,
        barred: known?.tags?.["nofailover"] === true || known?.tags?.["failover_priority"] === 0,
        startedAt: own?.postmaster_start_time ?? undefined,
        timeline: known?.timeline,
        lagBytes: typeof known?.lag === "number" ? known.lag : undefined,
        problem: answer instanceof Error ? answer.message : undefined,
      };
    }),
  };
}

/** Each member's own state. */
async function askMembers(rest: PatroniRest): Promise<ReadonlyMap<string, MemberAnswer | Error>> {
  const answers = new Map<string, MemberAnswer | Error>();
  const asked = rest.members.map(async (name) => {
    try {
      const answer = await rest.send(name, { method: "GET", path: "/patroni" });
      answers.set(name, answer.json ?? {});
    } catch (error) {
      answers.set(name, new Error(reasonOf(error)));
    }
  });
  await Promise.all(asked);
  return answers;
}

/**
 * When each member last read the DCS, in whole seconds since 1970 on its own clock, or why it does not answer. Only uses an endpoint that does
 * not make the member read the DCS; otherwise the time would advance with each request and prove nothing about the member's own cycles.
 */
export async function lastCycles(rest: PatroniRest): Promise<ReadonlyMap<string, number | Error>> {
  const answers = await askMembers(rest);
  return new Map(
    [...answers].map(([name, answer]) => [
      name,
      answer instanceof Error ? answer : (answer.dcs_last_seen ?? 0),
    ]),
  );
}

/** Asks every member. Fails only if none reports the state in the DCS. */
export async function readStatus(rest: PatroniRest): Promise<ClusterStatus> {
  const answers = await askMembers(rest);
  const reasons: string[] = [];
  for (const name of rest.members) {
    if (answers.get(name) instanceof Error) {
      reasons.push(`${name}: ${(answers.get(name) as Error).message}`);
      continue;
    }
    try {
      const [answer, configuration] = await Promise.all(
        ["/cluster", "/config"].map((path) => rest.send(name, { method: "GET", path })),
      );
      if (answer?.status === 200) {
        // Before the cluster is bootstrapped there is no configuration, and replication is not synchronous.
        const known = configuration?.status === 200 ? configuration.json : {};
        const cluster = answer.json as ClusterAnswer;
        return clusterStatus(rest.members, cluster, answers, known as ConfigurationAnswer);
      }
      reasons.push(`${name}: status ${answer?.status} for /cluster`);
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`no member reports the cluster's state: ${reasons.join("; ")}`);
}
