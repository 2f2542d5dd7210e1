import type { ClusterMember, ClusterMembers } from "../components/reach/cluster-members";
import { type Cluster, isRunning } from "./cluster";
import type { Group } from "./groups";
import { etcdctl } from "./inside";

/**
 * Why a group has no leader, said so that its reader knows what it waits for and what may be done. Patroni's rule in quorum mode: whoever
 * is to lead needs the votes of as many members of the set in etcd's key `sync` that one of them has every acknowledged write, or must
 * be the member that led last, who has all of them. https://patroni.readthedocs.io/en/latest/replication_modes.html#quorum-commit-mode
 */

/** What etcd holds of a group. */
export interface GroupKeys {
  /** Who led last, who else may hold acknowledged writes (comma separated), and how many of them besides a candidate must vote. */
  readonly sync?: {
    readonly leader?: string | null;
    readonly sync_standby?: string | null;
    readonly quorum?: number;
  };
  /** Members that are alive, by name: their keys end with their lease. */
  readonly members: Readonly<Record<string, MemberKey>>;
  /** The last position that a leader told, a few seconds before it was lost. */
  readonly position?: number;
}

export interface MemberKey {
  /** `running`, `starting`, `stopped`, `in archive recovery`, ... */
  readonly state: string;
  /** Its last position, received or replayed, in bytes. */
  readonly xlog_location?: number;
  readonly timeline?: number;
}

/** What is said where a leader is missing. */
export interface Leaderless {
  readonly seen: string;
  readonly remedy: string;
}

/** A position as PostgreSQL writes it: `0/52B8EA8`. */
const lsn = (position: number): string =>
  `${Math.floor(position / 2 ** 32).toString(16)}/${(position % 2 ** 32).toString(16)}`.toUpperCase();

const RUNBOOK = "docs/runbooks/no-leader.md";

/** PostgreSQL answers there, which is what a vote takes. */
const votes = (key: MemberKey | undefined): key is MemberKey =>
  key !== undefined && /^(running|streaming|in archive recovery)$/.test(key.state);

/** `members` are the group's, whether they run or not; `ways` are those of their platform. */
export function judgeLeaderless(
  keys: GroupKeys,
  members: readonly Pick<ClusterMember, "name" | "state" | "status">[],
  ways: Pick<ClusterMembers, "revival" | "restarting">,
): Leaderless {
  const last = keys.sync?.leader ?? undefined;
  const standbys = (keys.sync?.sync_standby ?? "").split(",").filter((name) => name !== "");
  const voters = [...new Set([...(last === undefined ? [] : [last]), ...standbys])].sort();
  const there = voters.filter((name) => votes(keys.members[name]));
  const needed = (keys.sync?.quorum ?? 0) + 1;
  const stateOf = (name: string): string => {
    const key = keys.members[name];
    if (key !== undefined) return key.state;
    const member = members.find((each) => each.name === name);
    if (member === undefined) return "there is no such member";
    return isRunning(member)
      ? "runs, but etcd does not hear of it: it is cut off, or its Patroni hangs or only starts"
      : `it is ${member.state}`;
  };
  if (voters.length === 0 || there.length >= needed || (last !== undefined && there.includes(last))) {
    const all = Object.entries(keys.members).map(([name, { state }]) => `${name} is ${state}`);
    return {
      seen: `nobody leads, though enough members are there (${all.join(", ") || "none"}): an election takes up to 22 s`,
      remedy: `if it lasts, their logs say why not: ${RUNBOOK}`,
    };
  }
  const away = voters.filter((name) => !there.includes(name));
  const votesNeeded = `${needed} of them ${needed === 1 ? "is" : "are"} needed`;
  const may =
    last !== undefined && standbys.length === 0
      ? `only ${last}, which led on when its replicas were gone, has all of them`
      : `of the ${voters.length} members that may hold one (${voters.join(", ")}) ` +
        `${there.length === 0 ? "none is" : `only ${there.join(", ")} ${there.length === 1 ? "is" : "are"}`} there; ` +
        [
          votesNeeded,
          ...(last === undefined ? [] : [`or ${last} alone, which led last and has all of them`]),
        ].join(", ");
  const start = last !== undefined && away.includes(last) ? last : (away[0] ?? "");
  const gone = { name: start, state: "missing", status: "" };
  const member = members.find(({ name }) => name === start) ?? gone;
  const how = isRunning(member)
    ? `mend what cuts it off (docs/runbooks/partition.md), or ${ways.restarting(start)}`
    : ways.revival(member);
  return {
    seen: `nobody leads, so that no acknowledged write is lost: ${may}. Away: ${away.map((name) => `${name} (${stateOf(name)})`).join(", ")}`,
    remedy: `bring one back, ${start} first: ${how}. ${lastResort(keys)}`,
  };
}

/** What may be done when those who are away never come back, and what that loses. */
function lastResort({ members, position }: GroupKeys): string {
  const left = Object.entries(members).filter(([, key]) => votes(key));
  const reached = ([, { timeline = 0, xlog_location = 0 }]: [string, MemberKey]): [number, number] => [
    timeline,
    xlog_location,
  ];
  const newest = left.sort((a, b) => {
    const [[lineA, atA], [lineB, atB]] = [reached(a), reached(b)];
    return lineB - lineA || atB - atA;
  })[0];
  if (newest === undefined)
    return `No member is left that could lead; when all their disks are lost, so are the data: ${RUNBOOK}`;
  const [name, { xlog_location = 0, timeline = 0 }] = newest;
  const told = position === undefined ? "" : `; the last position that a leader told is ${lsn(position)}`;
  return (
    `Only if their disks are lost for good: ${name} has the newest of the data left (up to ${lsn(xlog_location)}, timeline ${timeline}${told}) ` +
    `and can be made to lead, which loses every acknowledged write that reached only the others: ${RUNBOOK}`
  );
}

/** Asks etcd, which is there where the members are not. Undefined when it does not answer either. */
export async function leaderless(cluster: Cluster, group: Group): Promise<Leaderless | undefined> {
  const etcd = (await cluster.members("etcd")).filter(isRunning);
  const number = group.number === undefined ? [] : [group.number];
  const prefix = ["", "service", cluster.name, ...number, ""].join("/");
  for (const { name } of etcd) {
    const keys = etcdctl(`--command-timeout=5s get --prefix '${prefix}' --write-out=json`);
    const answer = await cluster.execute(name, keys).catch(() => undefined);
    if (answer !== undefined)
      return judgeLeaderless(groupKeys(answer, prefix), await cluster.members(group.workload), cluster.reach);
  }
  return undefined;
}

/** What `etcdctl get --write-out=json` prints of a group's keys. */
export function groupKeys(answer: string, prefix: string): GroupKeys {
  const decoded = (text: string): string => Buffer.from(text, "base64").toString("utf8");
  const { kvs = [] } = JSON.parse(answer) as { kvs?: readonly { key: string; value?: string }[] };
  const entries = kvs.map(
    ({ key, value = "" }) => [decoded(key).slice(prefix.length), decoded(value)] as const,
  );
  const json = (key: string): unknown => {
    const text = entries.find(([name]) => name === key)?.[1];
    return text === undefined ? undefined : JSON.parse(text);
  };
  const position = (json("status") as { optime?: number } | undefined)?.optime;
  return {
    sync: json("sync") as GroupKeys["sync"],
    members: Object.fromEntries(
      entries
        .filter(([key]) => key.startsWith("members/"))
        .map(([key, text]) => [key.slice("members/".length), JSON.parse(text) as MemberKey]),
    ),
    ...(position !== undefined && { position }),
  };
}
