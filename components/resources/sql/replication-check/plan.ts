/** Compares replication with the expectation. Pure: takes an observation and returns all problems. */

export interface Expectation {
  /** Names of all expected members, including the leader. */
  readonly members: readonly string[];
  /** How many replicas must be synchronous (`sync` or `quorum`); 0 if replication is asynchronous. */
  readonly synchronousReplicas: number;
  /** Maximum replay lag of a replica, in bytes of WAL. */
  readonly maximumLagBytes: number;
}

/** The state in the DCS, as one member's REST API reports it. */
export interface DcsView {
  readonly leader?: string;
  readonly members: readonly { readonly name: string; readonly role: string; readonly state: string }[];
}

export interface ReplicaRow {
  readonly name: string;
  /** State of the WAL sender: `streaming`, `catchup`, `startup`, `backup`. */
  readonly state: string;
  /** `async`, `potential`, `sync` or `quorum`. */
  readonly syncState: string;
  readonly lagBytes: number | null;
}

export interface Observation {
  /** By member: the DCS state that it reports, or why it does not answer. */
  readonly views: Readonly<Record<string, DcsView | { readonly problem: string }>>;
  /** By member: whether its PostgreSQL is a standby, or why it does not answer. */
  readonly standby: Readonly<Record<string, boolean | { readonly problem: string }>>;
  /** `pg_stat_replication` of the leader; undefined if there is no leader to ask. */
  readonly replicas?: readonly ReplicaRow[];
}

/** A summary that does not change in normal operation. */
export interface Seen {
  readonly leader: string;
  readonly members: readonly SeenMember[];
}

export interface SeenMember {
  readonly name: string;
  /** `leader` or `replica`. */
  readonly role: string;
  /** `running` for the leader; for a replica the state of its WAL sender, such as `streaming`. */
  readonly state: string;
  /** `quorum`, `sync`, `potential` or `async`; empty for the leader. */
  readonly syncState: string;
}

export type Verdict =
  | { readonly healthy: true; readonly seen: Seen }
  | { readonly healthy: false; readonly seen?: Seen; readonly problems: readonly string[] };

const isProblem = (value: object | boolean): value is { readonly problem: string } =>
  typeof value === "object" && "problem" in value;

/** The leader that all members report; undefined if they report none or different ones. */
export function agreedLeader(views: Observation["views"]): string | undefined {
  const named = Object.values(views).flatMap((view) => (isProblem(view) ? [] : [view.leader]));
  return named.length > 0 && named.every((name) => name === named[0]) ? named[0] : undefined;
}

function pictureOf(leader: string, expected: Expectation, replicas: readonly ReplicaRow[]): Seen {
  const known = new Set([...expected.members, ...replicas.map((row) => row.name)]);
  return {
    leader,
    members: [...known].sort().map((name) => {
      if (name === leader) return { name, role: "leader", state: "running", syncState: "" };
      const row = replicas.find((other) => other.name === name);
      return { name, role: "replica", state: row?.state ?? "not connected", syncState: row?.syncState ?? "" };
    }),
  };
}

export function judgeReplication(expected: Expectation, observed: Observation): Verdict {
  const problems: string[] = [];
  for (const name of expected.members) {
    const view = observed.views[name];
    if (view === undefined || isProblem(view)) {
      problems.push(`${name}: its REST API does not answer: ${view?.problem ?? "not asked"}`);
    }
    const standby = observed.standby[name];
    if (standby === undefined || isProblem(standby)) {
      const problem = typeof standby === "object" ? standby.problem : "not asked";
      problems.push(`${name}: its PostgreSQL does not answer: ${problem}`);
    }
  }
  const leader = agreedLeader(observed.views);
  if (leader === undefined) {
    const said = Object.entries(observed.views).flatMap(([name, view]) =>
      isProblem(view) ? [] : [`${name} reports ${view.leader ?? "no leader"}`],
    );
    problems.push(`members do not agree on a leader: ${said.join(", ") || "none of them answers"}`);
    return { healthy: false, problems };
  }
  for (const [name, standby] of Object.entries(observed.standby)) {
    if (standby === false && name !== leader)
      problems.push(`${name} accepts writes although ${leader} is the leader: there are two primaries`);
    if (standby === true && name === leader)
      problems.push(`${leader} is the leader according to the DCS, but its PostgreSQL is a standby`);
  }
  const inDcs =
    Object.values(observed.views).flatMap((view) => (isProblem(view) ? [] : [view]))[0]?.members ?? [];
  for (const name of expected.members) {
    if (!inDcs.some((member) => member.name === name)) problems.push(`${name} is unknown to the DCS`);
  }
  for (const { name } of inDcs) {
    if (!expected.members.includes(name))
      problems.push(`${name} is a member according to the DCS, but not declared`);
  }
  const replicas = observed.replicas ?? [];
  for (const name of expected.members.filter((other) => other !== leader)) {
    const row = replicas.find((other) => other.name === name);
    if (row === undefined) problems.push(`${name} is not connected to the leader ${leader}`);
    else if (row.state !== "streaming")
      problems.push(`${name} is in state ${row.state} instead of streaming`);
    else if (row.lagBytes === null) problems.push(`${name} has replayed nothing yet`);
    else if (row.lagBytes > expected.maximumLagBytes) {
      problems.push(
        `${name} is ${row.lagBytes} bytes behind, more than the limit of ${expected.maximumLagBytes}`,
      );
    }
  }
  const synchronous = replicas.filter((row) => row.syncState === "sync" || row.syncState === "quorum").length;
  if (synchronous < expected.synchronousReplicas) {
    problems.push(
      `${synchronous} synchronous replica(s) instead of at least ${expected.synchronousReplicas}`,
    );
  }
  if (expected.synchronousReplicas === 0 && synchronous > 0) {
    problems.push(`${synchronous} synchronous replica(s) although replication is declared as asynchronous`);
  }
  // In quorum mode Patroni adds one replica to the quorum per cycle. The state is not final until all are included.
  if (replicas.some((row) => row.syncState === "quorum")) {
    for (const row of replicas.filter(
      (other) => other.syncState === "async" && expected.members.includes(other.name),
    )) {
      problems.push(`${row.name} is not part of the synchronous quorum`);
    }
  }
  const seen = pictureOf(leader, expected, replicas);
  return problems.length === 0 ? { healthy: true, seen } : { healthy: false, seen, problems };
}

/** Changes between two summaries, for the preview. */
export function describeChange(before: Seen, now: Seen): readonly string[] {
  const changes: string[] = [];
  if (before.leader !== now.leader) changes.push(`the leader was ${before.leader} and is ${now.leader}`);
  for (const member of now.members) {
    const was = before.members.find((other) => other.name === member.name);
    const text = (m: SeenMember): string =>
      [m.role, m.state, m.syncState].filter((part) => part !== "").join(" ");
    if (was === undefined) changes.push(`${member.name} is new: ${text(member)}`);
    else if (text(was) !== text(member))
      changes.push(`${member.name} was ${text(was)} and is ${text(member)}`);
  }
  for (const was of before.members) {
    if (!now.members.some((other) => other.name === was.name)) changes.push(`${was.name} is gone`);
  }
  return changes;
}
