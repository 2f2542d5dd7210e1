import type { PatroniRest } from "./rest";

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
  readonly timeline?: number;
  /** How far it is behind, in bytes; undefined when unknown. */
  readonly lagBytes?: number;
  /** When it last read the DCS, in seconds since 1970 on its own clock. */
  readonly dcsLastSeen?: number;
  /** Why the member does not answer. */
  readonly problem?: string;
}

export interface ClusterStatus {
  readonly leader?: string;
  /** Switched off by `patronictl pause`: nothing fails over. */
  readonly paused: boolean;
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
  readonly pending_restart_reason?: PendingRestart;
  readonly pending_restart?: boolean;
  readonly dcs_last_seen?: number;
  readonly replication?: readonly { readonly application_name: string; readonly state: string }[];
}

/** Puts together what the DCS says (through any member) and what each member says of itself. */
export function clusterStatus(
  expected: readonly string[],
  cluster: ClusterAnswer,
  answers: ReadonlyMap<string, MemberAnswer | Error>,
): ClusterStatus {
  const inDcs = cluster.members ?? [];
  const leader = inDcs.find((member) => member.role === "leader" || member.role === "standby_leader")?.name;
  const leaderAnswer = leader === undefined ? undefined : answers.get(leader);
  const senders = leaderAnswer instanceof Error ? [] : (leaderAnswer?.replication ?? []);
  const names = [...new Set([...expected, ...inDcs.map((member) => member.name)])];
  return {
    leader,
    paused: cluster.pause === true,
    members: names.map((name) => {
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
        timeline: known?.timeline,
        lagBytes: typeof known?.lag === "number" ? known.lag : undefined,
        dcsLastSeen: own?.dcs_last_seen,
        problem: answer instanceof Error ? answer.message : undefined,
      };
    }),
  };
}

/** Asks every member. Fails only when none can tell what the DCS says. */
export async function readStatus(rest: PatroniRest): Promise<ClusterStatus> {
  const answers = new Map<string, MemberAnswer | Error>();
  const asked = rest.members.map(async (name) => {
    try {
      const answer = await rest.send(name, { method: "GET", path: "/patroni" });
      answers.set(name, answer.json ?? {});
    } catch (error) {
      answers.set(name, error instanceof Error ? error : new Error(String(error)));
    }
  });
  await Promise.all(asked);
  const reasons: string[] = [];
  for (const name of rest.members) {
    if (answers.get(name) instanceof Error) {
      reasons.push(`${name}: ${(answers.get(name) as Error).message}`);
      continue;
    }
    try {
      const answer = await rest.send(name, { method: "GET", path: "/cluster" });
      if (answer.status === 200) return clusterStatus(rest.members, answer.json as ClusterAnswer, answers);
      reasons.push(`${name}: status ${answer.status} for /cluster`);
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no member tells the cluster's state: ${reasons.join("; ")}`);
}
