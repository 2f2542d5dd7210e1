import { RunError } from "@pulumi/pulumi";

/** A problem in the settings, with what the user can do about it. */
export interface Problem {
  /** The setting's full path: `patroni.timing.ttlSeconds`. */
  readonly setting: string;
  /** Its value. Never a secret. */
  readonly value: unknown;
  /** The rule that it violates, with the limit and the reason. */
  readonly rule: string;
  /** What to write instead. */
  readonly remedy: string;
}

export const describeProblem = (problem: Problem): string =>
  `${problem.setting} = ${JSON.stringify(problem.value)}: ${problem.rule}. ${problem.remedy}.`;

/** One error with all problems, thrown before any resource exists. Pulumi prints a RunError without a stack trace. */
export class ProblemsError extends RunError {
  constructor(
    readonly subject: string,
    readonly problems: readonly Problem[],
  ) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    super(
      `${subject}: ${count}, nothing was changed.\n${problems.map((p) => `  - ${describeProblem(p)}`).join("\n")}`,
    );
  }
}

/** Throws one error with all problems, if there are any. */
export function refuse(subject: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ProblemsError(subject, problems);
}
