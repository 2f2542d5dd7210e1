/** Exit codes: 0, success; 1, a problem was found or the command was refused; 2, wrong usage, or something that it needs cannot be reached. */
export const EXIT = { done: 0, wrong: 1, impossible: 2 } as const;

/** An error that the operator can resolve; printed without a stack trace. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2;

  constructor(
    message: string,
    { exitCode = 1, cause }: { readonly exitCode?: 1 | 2; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** Wrong usage. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, { exitCode: EXIT.impossible });
  }
}

/** Something that the command needs cannot be reached. */
export class UnreachableError extends CommandError {
  constructor(message: string, cause?: unknown) {
    super(message, { exitCode: EXIT.impossible, cause });
  }
}
