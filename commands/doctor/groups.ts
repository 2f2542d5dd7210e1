import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import type { Cluster } from "../cluster";
import { type Group, isLeader, type PatroniMember, patroniMembers } from "../groups";
import { type Leaderless, leaderless } from "../leaderless";
import { make, type Stack } from "../stack";
import { checkConfiguration } from "./configuration";

/** Acceptable lag of a replica, in MB. */
const LAG_MB = 100;

/** A group's configuration, its leader and its replicas. */
export async function checkGroup(
  cluster: Cluster,
  group: Group,
  all: readonly ClusterMember[],
): Promise<readonly Finding[]> {
  const expected = all.filter((member) => member.workload === group.workload).length;
  const [configuration, found] = await Promise.all([
    checkConfiguration(cluster, group.workload, all),
    patroniMembers(cluster, group).catch((error: unknown) => messageOf(error)),
  ]);
  const led = typeof found !== "string" && found.some(isLeader);
  const why = led ? undefined : await leaderless(cluster, group).catch(() => undefined);
  return [...configuration, ...judgeGroup(cluster.stack, group.workload, found, expected, why)];
}

/**
 * Judges Patroni's view of a group.
 * @param found the members, or a text: why no member could be asked
 * @param expected number of members
 * @param why the reason if it has no leader
 */
export function judgeGroup(
  stack: Pick<Stack, "name">,
  workload: string,
  found: readonly PatroniMember[] | string,
  expected: number,
  why: Leaderless | undefined,
): readonly Finding[] {
  const part = `${workload} leader`;
  const waiting = (otherwise: string): Finding =>
    bad(part, why?.seen ?? otherwise, why?.remedy ?? "docs/runbooks/no-leader.md");
  if (typeof found === "string") return [waiting(found)];
  const leaders = found.filter(isLeader);
  const [first] = leaders;
  const led =
    first === undefined
      ? waiting("nobody leads")
      : leaders.length === 1
        ? good(part, `${first.Member}, timeline ${first.TL ?? "?"}`)
        : bad(part, `${leaders.length} members claim to be the leader`, "docs/runbooks/no-leader.md");
  const replicas = found
    .filter((member) => !isLeader(member))
    .map((member) => {
      const lag = Number(member["Replay Lag"] ?? 0);
      const seen = `${member.State}, lag ${member["Replay Lag"] ?? "unknown"} MB`;
      // Only the missing leader is wrong, which the first finding reports.
      if (first === undefined && member.State === "running")
        return good(member.Member, "running, waiting for a leader");
      return member.State === "streaming" && lag < LAG_MB
        ? good(member.Member, seen)
        : bad(member.Member, seen, "docs/runbooks/replica-behind.md");
    });
  const restarts = found
    .filter((member) => member["Pending restart"])
    .map(({ Member }) =>
      bad(
        Member,
        "has a pending restart",
        `${make(stack, "up")} or ${make(stack, "restart")} restarts the members in order`,
      ),
    );
  const known =
    found.length === expected
      ? []
      : [
          bad(
            `${workload} members`,
            `${found.length} of ${expected} are known to Patroni`,
            "docs/runbooks/member-lost.md",
          ),
        ];
  return [led, ...replicas, ...restarts, ...known];
}
