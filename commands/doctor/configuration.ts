import type { ClusterMember } from "../../components/reach/cluster-members";
import { lastLines } from "../../components/reach/last-lines";
import { answerOf } from "../../components/resources/patroni/judge";
import { serverComplaint } from "../../components/resources/patroni/judge-plan";
import { messageOf } from "../../components/dynamic/reason";
import { bad, type Finding } from "../../components/reach/finding";
import { PORTS } from "../../config-files/ports";
import { type Cluster, isRunning } from "../cluster";
import { readLog } from "./read-log";

const CORRECT =
  "correct the setting and run 'make up', which writes it before it waits for anybody: docs/runbooks/no-leader.md";

/** It starts a PostgreSQL of its own to ask. */
const JUDGE_SECONDS = 180;

/** What the group's servers did not take of their files, why one does not run, and what the next restart of any would not survive. */
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
      bad(member.name, `PostgreSQL does not take its files: ${said}`, CORRECT),
    );
  } catch {
    const log = await lastLines(cluster.reach.reach(member.name, PORTS.postgres), 100);
    const complaint = serverComplaint(log);
    return complaint === "" ? [] : [bad(member.name, `PostgreSQL does not run: ${complaint}`, CORRECT)];
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
        `no member that stops would start again: ${about === "" ? "" : `${about}: `}${said}`,
        CORRECT,
      ),
    );
  } catch (error) {
    const seen = `PostgreSQL cannot be asked whether it takes it: ${messageOf(error)}`;
    return [bad(part, seen, readLog(cluster, member.name))];
  }
}
