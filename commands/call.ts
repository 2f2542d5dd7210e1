import { UsageError } from "./command-error";
import { type Stack, stackOf } from "./stack";

/** How a command was called. */
export interface Call {
  readonly stack: Stack;
  /** Arguments after the command's name, without `--json`. */
  readonly args: readonly string[];
  /** Print exactly one JSON document to standard output, for programs. */
  readonly json: boolean;
  /** A variable given as `NAME=value`. An empty one counts as not given. */
  readonly variable: (name: string) => string | undefined;
}

export type Command = (call: Call) => Promise<number>;

export function callOf(args: readonly string[], env: NodeJS.ProcessEnv): Call {
  const variable = (name: string): string | undefined => env[name] || undefined;
  return {
    stack: stackOf(env),
    args: args.filter((word) => word !== "--json"),
    json: args.includes("--json") || (variable("JSON") ?? "0") !== "0",
    variable,
  };
}

/** A variable with a number, such as LIMIT=20. */
export function numberOf({ variable }: Pick<Call, "variable">, name: string, otherwise: number): number {
  const given = variable(name);
  if (given === undefined) return otherwise;
  if (!/^\d+$/.test(given)) throw new UsageError(`${name} is "${given}": it must be a whole number`);
  return Number(given);
}

/** Prints the document of `JSON=1`. All other output then goes to standard error (main.ts). */
export const printJson = (document: unknown): void =>
  void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
