import type { ClusterMember } from "../components/reach/cluster-members";
import { type Call, printJson } from "./call";
import { isRunning, openCluster } from "./cluster";
import { judgedMembers } from "./doctor/members";
import { CommandError, EXIT } from "./command-error";
import { isLeader } from "./groups";
import { groupStatuses, type GroupStatus } from "./status";
import { make } from "./stack";

export interface Health {
  readonly ok: boolean;
  /** Short phrases: the problems, or a summary if there are none. */
  readonly seen: readonly string[];
}

/** Whether every member is ready, every group has a leader, and every replica streams. */
export function judgeHealth(members: readonly ClusterMember[], groups: readonly GroupStatus[]): Health {
  if (members.length === 0) return { ok: false, seen: ["the stack has no members"] };
  const unready = members.filter((member) => !isRunning(member) || member.readiness !== "ready");
  const wrong = [
    ...unready.map((member) =>
      isRunning(member) ? `${member.name} is not ready` : `${member.name} is ${member.state}`,
    ),
    ...groups.flatMap((group) => {
      const { workload, members: known } = group;
      const leaders = known.filter(isLeader);
      const silent = known
        .filter((member) => !isLeader(member) && member.State !== "streaming")
        .map((member) => `${member.Member} is not streaming (${member.State})`);
      const expected = members.filter((member) => member.workload === workload).length;
      return [
        ...(leaders.length === 1
          ? []
          : [`${workload} has ${leaders.length === 0 ? "no leader" : `${leaders.length} leaders`}`]),
        ...silent,
        ...(known.length === expected
          ? []
          : [`${workload}: ${known.length} of ${expected} members are known to Patroni`]),
      ];
    }),
  ];
  if (groups.length === 0) wrong.push("the stack has no database members");
  if (wrong.length > 0) return { ok: false, seen: wrong };
  const led = groups.map((group) => group.members.find(isLeader)?.Member ?? "").join(", ");
  return {
    ok: true,
    seen: [`${members.length} members are ready`, `${groups.length === 1 ? "leader" : "leaders"}: ${led}`],
  };
}

/** One line for monitors and scripts. Exit code 0: healthy, 1: a problem was found, 2: the cluster cannot be reached. */
export async function health(call: Call): Promise<number> {
  try {
    const cluster = await openCluster(call.stack);
    const members = await judgedMembers(cluster);
    const { ok, seen } = judgeHealth(members, await groupStatuses(cluster, members));
    if (call.json) printJson({ cluster: cluster.name, ok, seen });
    else
      console.log(
        `${ok ? "ok" : "WRONG"} ${cluster.name}: ${seen.join("; ")}${ok ? "" : `: ${make(call.stack, "doctor")} shows how to fix it`}`,
      );
    return ok ? EXIT.done : EXIT.wrong;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const seen = [error.message];
    if (call.json) printJson({ ok: null, seen });
    else console.log(`UNKNOWN ${call.stack.name}: ${error.message}`);
    return EXIT.impossible;
  }
}
