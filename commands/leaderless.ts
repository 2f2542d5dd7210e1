import type { ClusterMember, ClusterMembers } from "../components/reach/cluster-members";
import { type Cluster, isRunning } from "./cluster";
import type { Group } from "./groups";
import { etcdctl } from "./inside";

/**
 * Explains why a group has no leader, what it is waiting for and what can be done. Patroni's rule in quorum mode: a candidate needs the
 * votes of so many members of the set in etcd's key `sync` that one of them must have every acknowledged write, or it must be the former
 * leader, which has all of them. https://patroni.readthedocs.io/en/latest/replication_modes.html#quorum-commit-mode
 */

/** A group's keys in etcd. */
export interface GroupKeys {
  /** The last leader, the other members that may have acknowledged writes (comma-separated), and how many votes a candidate needs besides its own. */
  readonly sync?: {
    readonly leader?: string | null;
    readonly sync_standby?: string | null;
    readonly quorum?: number;
  };
  /** Live members by name. Their keys expire with their lease. */
  readonly members: Readonly<Record<string, MemberKey>>;
  /** The last WAL position that the leader reported, at most a few seconds before it was lost. */
  readonly position?: number;
}

export interface MemberKey {
  /** `running`, `starting`, `stopped`, `in archive recovery`, ... */
  readonly state: string;
  /** Its last received or replayed WAL position, in bytes. */
  readonly xlog_location?: number;
  readonly timeline?: number;
}

/** The message about a group without a leader. */
export interface Leaderless {
  readonly seen: string;
  readonly remedy: string;
}

/** A WAL position in PostgreSQL's notation: `0/52B8EA8`. */
const lsn = (position: number): string =>
  `${Math.floor(position / 2 ** 32).toString(16)}/${(position % 2 ** 32).toString(16)}`.toUpperCase();

const RUNBOOK = "docs/runbooks/no-leader.md";

/** Whether the member can vote, which requires that its PostgreSQL answers. */
const votes = (key: MemberKey | undefined): key is MemberKey =>
  key !== undefined && /^(running|streaming|in archive recovery)$/.test(key.state);

/** @param members all members of the group, running or not
 * @param ways how their platform brings members back */
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
    if (member === undefined) return "it does not exist";
    return isRunning(member)
      ? "it is running but not in etcd: it is cut off, or its Patroni hangs or is still starting"
      : `it is ${member.state}`;
  };
  if (voters.length === 0 || there.length >= needed || (last !== undefined && there.includes(last))) {
    const all = Object.entries(keys.members).map(([name, { state }]) => `${name} is ${state}`);
    return {
      seen: `nobody leads, although enough members are available (${all.join(", ") || "none"}): an election takes up to 22 s`,
      remedy: `if this lasts longer, their logs show why: ${RUNBOOK}`,
    };
  }
  const away = voters.filter((name) => !there.includes(name));
  const votesNeeded = `${needed} of them ${needed === 1 ? "is" : "are"} required`;
  const may =
    last !== undefined && standbys.length === 0
      ? `only ${last}, which continued as leader without replicas, has all acknowledged writes`
      : `of the ${voters.length} members that may have acknowledged writes (${voters.join(", ")}), ` +
        `${there.length === 0 ? "none is" : `only ${there.join(", ")} ${there.length === 1 ? "is" : "are"}`} available; ` +
        [
          votesNeeded,
          ...(last === undefined ? [] : [`or ${last} alone, which was the last leader and has all of them`]),
        ].join(", ");
  const start = last !== undefined && away.includes(last) ? last : (away[0] ?? "");
  const gone = { name: start, state: "missing", status: "" };
  const member = members.find(({ name }) => name === start) ?? gone;
  const how = isRunning(member)
    ? `repair its network (docs/runbooks/partition.md), or ${ways.restarting(start)}`
    : ways.revival(member);
  return {
    seen: `nobody leads, because acknowledged writes could be lost: ${may}. Missing: ${away.map((name) => `${name} (${stateOf(name)})`).join(", ")}`,
    remedy: `bring one back, ${start} first: ${how}. ${lastResort(keys)}`,
  };
}

/** What can be done if the missing members never return, and what is lost then. */
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
    return `No member is left that could become leader. If the disks of all members are lost, the data is lost too: ${RUNBOOK}`;
  const [name, { xlog_location = 0, timeline = 0 }] = newest;
  const reported =
    position === undefined ? "" : `; the last position that the leader reported is ${lsn(position)}`;
  return (
    `Only if their disks are permanently lost: ${name} has the newest remaining data (up to ${lsn(xlog_location)}, timeline ${timeline}${reported}) ` +
    `and can be promoted, which loses every acknowledged write that reached only the missing members: ${RUNBOOK}`
  );
}

/** Explains a missing leader from etcd's keys. Undefined if etcd does not answer either. */
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

/** Reads a group's keys from the output of `etcdctl get --write-out=json`. */
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
