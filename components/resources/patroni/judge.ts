import { executeIn } from "../../reach/execute";
import type { Question, Refusal } from "./judge-plan";
import type { RestMember } from "./rest";
import { reasonOf } from "../../dynamic/reason";

/** Asks members' own images what PostgreSQL makes of a configuration. */

export type Judgement =
  | { readonly by: string; readonly refusals: readonly Refusal[] }
  /** Nobody could be asked. `older`: their image has nothing to ask, as images from before this had not. */
  | { readonly by?: undefined; readonly why: string; readonly older: boolean };

/** What a script prints, as JSON; other outputs of the member may stand before it. */
export function answerOf(output: string): readonly Refusal[] {
  const line = output.split("\n").findLast((text) => text.startsWith("["));
  if (line === undefined) throw new Error(`no answer in ${JSON.stringify(output.slice(-300))}`);
  return JSON.parse(line) as Refusal[];
}

/**
 * Asks the first member that can be asked. It takes a second, some 30 MB for that time, and leaves the member's data and server alone; the
 * leader is asked last, since it shares the memory.
 * @param leader the member that leads, as far as is known
 */
export async function judge(
  members: readonly RestMember[],
  leader: string | undefined,
  question: Question,
): Promise<Judgement> {
  const order = [...members].sort((a, b) => Number(a.name === leader) - Number(b.name === leader));
  const reasons: string[] = [];
  for (const { name, reach } of order) {
    try {
      const result = await executeIn(reach, ["postgres-judge", JSON.stringify(question)], 600);
      if (result?.exitCode === 0) return { by: name, refusals: answerOf(result.output) };
      reasons.push(`${name}: ${result === undefined ? "nothing can be run there" : result.output}`);
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  return {
    why: reasons.join("; "),
    older: reasons.every((reason) => reason.includes("executable file not found")),
  };
}

/** What the members' running servers did not take of their files, by member; members that cannot be asked are left out. */
export async function notApplied(
  members: readonly RestMember[],
): Promise<readonly (Refusal & { readonly member: string })[]> {
  const found = await Promise.all(
    members.map(async ({ name, reach }) => {
      const result = await executeIn(reach, ["postgres-judge", "--applied"], 180).catch(() => undefined);
      if (result?.exitCode !== 0) return [];
      return answerOf(result.output).map((refusal) => ({ member: name, ...refusal }));
    }),
  );
  return found.flat();
}
