import { executeIn } from "../../reach/execute";
import type { Question, Refusal } from "./judge-plan";
import type { RestMember } from "./rest";
import { reasonOf } from "../../dynamic/reason";

/** Lets members validate a configuration with PostgreSQL from their own image. */

export type Judgement =
  | { readonly by: string; readonly refusals: readonly Refusal[] }
  /** No member could be asked. `older`: their images do not contain `postgres-judge`, as old ones do not. */
  | { readonly by?: undefined; readonly why: string; readonly older: boolean };

/** The JSON that the script prints last; other output may precede it. */
export function answerOf(output: string): readonly Refusal[] {
  const line = output.split("\n").findLast((text) => text.startsWith("["));
  if (line === undefined)
    throw new Error(`postgres-judge printed no result: ${JSON.stringify(output.slice(-300))}`);
  return JSON.parse(line) as Refusal[];
}

/**
 * Asks members until one answers. The validation takes about a second and 30 MB of memory, and does not touch the member's data or server.
 * The leader is asked last, because its server shares that memory.
 * @param leader the current leader, if known
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
      reasons.push(`${name}: ${result === undefined ? "cannot execute commands there" : result.output}`);
    } catch (error) {
      reasons.push(`${name}: ${reasonOf(error)}`);
    }
  }
  return {
    why: reasons.join("; "),
    older: reasons.every((reason) => reason.includes("executable file not found")),
  };
}

/** Settings in the members' configuration files that their running servers did not apply. Members that cannot be asked are skipped. */
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
