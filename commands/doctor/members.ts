import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { type Cluster, isRunning } from "../cluster";
import type { Group } from "../groups";
import { readLog } from "./read-log";

/** The longest interval of a readiness check, and the same again for the check itself. */
const FIRST_LOOK_MS = 20_000;

/** The members after the platform's first readiness check. Until then it reports "starting", ready or not. */
export async function judgedMembers(cluster: Cluster): Promise<readonly ClusterMember[]> {
  const deadline = Date.now() + FIRST_LOOK_MS;
  for (;;) {
    const all = await cluster.members();
    if (!all.some(({ readiness }) => readiness === "starting") || Date.now() >= deadline) return all;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

export function checkMember(
  cluster: Pick<Cluster, "stack" | "reach">,
  member: Pick<ClusterMember, "name" | "state" | "readiness" | "status">,
): Finding {
  const { name, state, readiness, status } = member;
  if (isRunning(member))
    return readiness === "ready" ? good(name, status) : bad(name, status, readLog(cluster, name));
  const runbook = state === "paused" ? " (docs/runbooks/member-frozen.md)" : "";
  return bad(name, status, `bring it back, with its data: ${cluster.reach.revival(member)}${runbook}`);
}

/** Members that their own process 1 has killed. They run again, but the cause should be found. */
export async function checkWatchdogs(
  cluster: Cluster,
  databases: readonly Group[],
  all: readonly ClusterMember[],
): Promise<Finding[]> {
  const running = all.filter(
    (member) => isRunning(member) && databases.some((group) => group.workload === member.workload),
  );
  const kills = ["cat", "/run/patroni/watchdog.kills"];
  const said = await Promise.all(running.map(({ name }) => cluster.execute(name, kills).catch(() => "")));
  return running.flatMap(({ name }, index) => {
    const killed = (said[index] ?? "").split("\n").filter((line) => line !== "");
    if (killed.length === 0) return [];
    const times = killed.length === 1 ? "once" : `${killed.length} times`;
    const seen = `has killed everything ${times} since the container was started, last ${killed.at(-1)} (docs/runbooks/member-frozen.md)`;
    return [good(`${name} watchdog`, seen)];
  });
}
