/** What errors say, for waits and for those who read the end of one. */

/** The kinds that say of a program that it is wrong. Not SyntaxError: that is what JSON.parse makes of an answer that is none. */
const PROGRAM_ERRORS = ["TypeError", "ReferenceError", "RangeError", "AssertionError"];

/**
 * What an error says, also where it is not an `Error`. Of an object without a message only its kind and its code are told: others of its
 * fields, such as the headers of a request, may be secret.
 */
export function messageOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, errors, name, code, constructor } = error as Partial<AggregateError> & {
    readonly code?: unknown;
  };
  if (typeof message === "string" && message !== "") return message;
  // Node.js says it so when each address of a host has refused: https://nodejs.org/api/net.html#socketconnectoptions-connectlistener
  if (Array.isArray(errors) && errors.length > 0) return errors.map(messageOf).join("; ");
  const kind = name ?? (constructor as { name?: string } | undefined)?.name ?? "an error";
  return typeof code === "string" || typeof code === "number"
    ? `${kind} ${code}`
    : `${kind} without a message`;
}

/** Whether it is a mistake of the program, which no time mends, and nothing that happened to it. */
export const isProgramError = (error: unknown): error is Error =>
  error instanceof Error && PROGRAM_ERRORS.some((kind) => error.name.split(" ")[0] === kind);

/**
 * What an error says to somebody who can go on without what failed: who waits, or asks the next member. A mistake of the program is thrown on,
 * with the place where it was made, and ends every wait that it reaches.
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
