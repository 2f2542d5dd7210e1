/**
 * How every command ends: 0, it is done, or all is well; 1, something is wrong, or was refused; 2, it was called wrongly, or what it
 * needs cannot be reached.
 */
export const EXIT = { done: 0, wrong: 1, impossible: 2 } as const;

/** What an operator can mend; printed without a stack trace. */
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

/** A command that was called wrongly. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, { exitCode: EXIT.impossible });
  }
}

/** What a command needs cannot be reached. */
export class UnreachableError extends CommandError {
  constructor(message: string, cause?: unknown) {
    super(message, { exitCode: EXIT.impossible, cause });
  }
}
