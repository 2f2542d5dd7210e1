import { UsageError } from "./command-error";
import { type Stack, stackOf } from "./stack";

/** How a command was called. */
export interface Call {
  readonly stack: Stack;
  /** Words after its name, without `--json`. */
  readonly args: readonly string[];
  /** Whether a program reads: then one JSON document goes to the output, and nothing else. */
  readonly json: boolean;
  /** What an operator gives as `NAME=value`; empty is as good as absent. */
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

/** A variable that is a number, such as LIMIT=20. */
export function numberOf({ variable }: Pick<Call, "variable">, name: string, otherwise: number): number {
  const given = variable(name);
  if (given === undefined) return otherwise;
  if (!/^\d+$/.test(given)) throw new UsageError(`${name} is "${given}": it must be a whole number`);
  return Number(given);
}

/** Prints the one document of `JSON=1`; what else is said goes to the error output then (main.ts). */
export const printJson = (document: unknown): void =>
  void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
