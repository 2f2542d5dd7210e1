/** Messages of errors, for waits and for their final error. */

/** Errors that indicate a bug in the program. Not SyntaxError, which JSON.parse throws for an invalid response. */
const PROGRAM_ERRORS = ["TypeError", "ReferenceError", "RangeError", "AssertionError"];

/**
 * The message of anything that was thrown, also if it is not an `Error`. For an object without a message, only its kind and code: other
 * fields, such as the headers of a request, may be secret.
 */
export function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, errors, name, code, constructor } = error as Partial<AggregateError> & {
    readonly code?: unknown;
  };
  if (typeof message === "string" && message !== "") return message;
  // Node.js throws this when each address of a host has refused the connection: https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
  if (Array.isArray(errors) && errors.length > 0) return errors.map(messageOf).join("; ");
  const kind = name ?? (constructor as { name?: string } | undefined)?.name ?? "an error";
  return typeof code === "string" || typeof code === "number"
    ? `${kind} ${code}`
    : `${kind} without a message`;
}

/** Whether it is a bug in the program, which waiting does not fix, and not a failure of something else. */
export const isProgramError = (error: unknown): error is Error =>
  error instanceof Error && PROGRAM_ERRORS.some((kind) => error.name.split(" ")[0] === kind);

/**
 * The message of an error for a caller that can continue: one that waits, or that tries the next member. A bug in the program is rethrown
 * with its location instead, and ends every wait that it reaches.
 */
export function reasonOf(error: unknown): string {
  if ((error as { mistake?: boolean } | null)?.mistake === true) throw error;
  if (!isProgramError(error)) return messageOf(error);
  const [, place] = /\n\s+at (.*)/.exec(error.stack ?? "") ?? [];
  const said = `${error.name}: ${error.message} (${place ?? "at an unknown place"})`;
  throw Object.assign(
    new Error(`${said}. This is a bug in the program; waiting does not help`, { cause: error }),
    { permanent: true, mistake: true },
  );
}
