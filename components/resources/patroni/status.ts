import type { PatroniRest } from "./rest";
import { reasonOf } from "../../dynamic/reason";

/** Why a member waits for a restart: the settings, with the value that runs and the one that is wanted. */
export type PendingRestart = Readonly<
  Record<string, { readonly old_value: string; readonly new_value: string }>
>;

export interface MemberStatus {
  readonly name: string;
  /** `leader`, `standby_leader`, `quorum_standby`, `sync_standby` or `replica`, as the DCS has it; undefined when it has none of that name. */
  readonly role?: string;
  /** Of PostgreSQL, from the member itself: `running`, `starting`, `stopped`, ...; undefined when the member does not answer. */
  readonly state?: string;
  /** The leader sends it WAL and it keeps up. Meaningless for the leader. */
  readonly streaming: boolean;
  readonly pendingRestart?: PendingRestart;
  /** It must never become the leader (tags `nofailover`, `failover_priority: 0`). */
  readonly barred: boolean;
  /** When its PostgreSQL was started, as the member says it; another text after each restart, undefined while it does not run. */
  readonly startedAt?: string;
  readonly timeline?: number;
  /** How far it is behind, in bytes; undefined when unknown. */
  readonly lagBytes?: number;
  /** Why the member does not answer. */
  readonly problem?: string;
}

export interface ClusterStatus {
  readonly leader?: string;
  /** Switched off by `patronictl pause`: nothing fails over. */
  readonly paused: boolean;
  /**
   * Who confirms commits: `quorum`, enough of all replicas; `on`, those that Patroni picks; `off`, nobody. Only a member that the DCS
   * counts among them may take over, and one that has just been started is not counted until the leader has seen it.
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

/** As Patroni reads the setting (`GlobalConfig.is_synchronous_mode` in its global_config.py). */
function synchronousMode({
  synchronous_mode: mode = false,
}: ConfigurationAnswer): ClusterStatus["synchronous"] {
  const text = String(mode).toLowerCase();
  if (text === "quorum") return "quorum";
  return ["on", "true", "yes", "1"].includes(text) ? "on" : "off";
}

/**
 * Puts together what the DCS says (through any member) and what each member says of itself. Of the `expected` members alone: the DCS knows one
 * that has left for as long as its lease lasts, and nobody waits for it.
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

/** What each member says of itself. */
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
 * When each member last read the DCS, in whole seconds since 1970 on its own clock, or why it does not answer. Nothing is asked here that
 * makes a member read the DCS: the time would move with each look, and prove nothing about the member's own cycles.
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

/** Asks every member. Fails only when none can tell what the DCS says. */
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
        // Without a configuration, before the cluster has been made, nothing is synchronous.
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
