import { answerOf } from "../components/resources/patroni/judge";
import { serverComplaint } from "../components/resources/patroni/judge-plan";
import { lastLines } from "../components/reach/last-lines";
import { execute, type Member } from "./containers";
import { messageOf } from "../components/dynamic/reason";

/** What is wrong with the configuration of a member, or with that of all. */
export interface ConfigurationProblem {
  readonly part: string;
  readonly seen: string;
  readonly remedy: string;
}

const CORRECT =
  "correct the setting and run 'make up', which writes it before it waits for anybody: docs/runbooks/no-leader.md";

/** What the group's servers did not take of their files, why one does not run, and what the next restart of any would not survive. */
export async function configurationProblems(
  workload: string,
  members: readonly Member[],
): Promise<readonly ConfigurationProblem[]> {
  const running = members.filter((member) => member.workload === workload && member.state === "running");
  const each = await Promise.all(running.map(memberProblems));
  const [anybody] = running;
  return [...each.flat(), ...(anybody === undefined ? [] : await liveProblems(workload, anybody))];
}

const problemsOf = async (
  member: Member,
  question: string,
): Promise<readonly { about: string; said: string }[]> =>
  answerOf(await execute(member.name, ["postgres-judge", question]));

async function memberProblems(member: Member): Promise<readonly ConfigurationProblem[]> {
  try {
    const refused = await problemsOf(member, "--applied");
    return refused.map(({ said }) => ({
      part: member.name,
      seen: `PostgreSQL does not take its files: ${said}`,
      remedy: CORRECT,
    }));
  } catch {
    const complaint = serverComplaint(await lastLines({ via: "docker", container: member.name }, 100));
    const seen = `PostgreSQL does not run: ${complaint}`;
    return complaint === "" ? [] : [{ part: member.name, seen, remedy: CORRECT }];
  }
}

async function liveProblems(workload: string, member: Member): Promise<readonly ConfigurationProblem[]> {
  try {
    const refused = await problemsOf(member, "--live");
    return refused.map(({ about, said }) => ({
      part: `${workload} configuration`,
      seen: `no member that stops would start again: ${about === "" ? "" : `${about}: `}${said}`,
      remedy: CORRECT,
    }));
  } catch (error) {
    const seen = `PostgreSQL cannot be asked whether it takes it: ${messageOf(error)}`;
    return [{ part: `${workload} configuration`, seen, remedy: `docker logs --tail 50 ${member.name}` }];
  }
}
