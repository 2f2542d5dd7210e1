/** An error whose message is meant for the person at the terminal: printed as it is, without a stack. */
export class Fault extends Error {}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
