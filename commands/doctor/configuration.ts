import type { ClusterMember } from "../../components/reach/cluster-members";
import { lastLines } from "../../components/reach/last-lines";
import { answerOf } from "../../components/resources/patroni/judge";
import { serverComplaint } from "../../components/resources/patroni/judge-plan";
import { messageOf } from "../../components/dynamic/reason";
import { bad, type Finding } from "../../components/reach/finding";
import { PORTS } from "../../config-files/ports";
import { type Cluster, isRunning } from "../cluster";
import { make } from "../stack";
import { readLog } from "./read-log";

const correct = ({ stack }: Pick<Cluster, "stack">): string =>
  `correct the setting and run ${make(stack, "up")}, which writes the configuration before it waits for members: docs/runbooks/no-leader.md`;

/** `postgres-judge` starts a PostgreSQL of its own. */
const JUDGE_SECONDS = 180;

/** Settings that the group's servers reject, why a server is not running, and settings that would prevent its next start. */
export async function checkConfiguration(
  cluster: Cluster,
  workload: string,
  members: readonly ClusterMember[],
): Promise<readonly Finding[]> {
  const running = members.filter((member) => member.workload === workload && isRunning(member));
  const each = await Promise.all(running.map((member) => memberProblems(cluster, member)));
  const [anybody] = running;
  return [...each.flat(), ...(anybody === undefined ? [] : await liveProblems(cluster, workload, anybody))];
}

const problemsOf = async (
  cluster: Cluster,
  member: ClusterMember,
  question: string,
): Promise<readonly { about: string; said: string }[]> =>
  answerOf(await cluster.execute(member.name, ["postgres-judge", question], JUDGE_SECONDS));

async function memberProblems(cluster: Cluster, member: ClusterMember): Promise<readonly Finding[]> {
  try {
    const refused = await problemsOf(cluster, member, "--applied");
    return refused.map(({ said }) =>
      bad(member.name, `PostgreSQL rejects its configuration files: ${said}`, correct(cluster)),
    );
  } catch {
    const log = await lastLines(cluster.reach.reach(member.name, PORTS.postgres), 100);
    const complaint = serverComplaint(log);
    return complaint === ""
      ? []
      : [bad(member.name, `PostgreSQL is not running: ${complaint}`, correct(cluster))];
  }
}

async function liveProblems(
  cluster: Cluster,
  workload: string,
  member: ClusterMember,
): Promise<readonly Finding[]> {
  const part = `${workload} configuration`;
  try {
    const refused = await problemsOf(cluster, member, "--live");
    return refused.map(({ about, said }) =>
      bad(
        part,
        `a member that stops would not start again, because PostgreSQL rejects the configuration: ${about === "" ? "" : `${about}: `}${said}`,
        correct(cluster),
      ),
    );
  } catch (error) {
    const seen = `it cannot be checked with PostgreSQL: ${messageOf(error)}`;
    return [bad(part, seen, readLog(cluster, member.name))];
  }
}
