import { AsyncLocalStorage } from "node:async_hooks";
import type { dynamic } from "@pulumi/pulumi";

/** A provider as the SDK's server of dynamic resources serves it. */
export interface Served<I, O> {
  readonly provider: Required<dynamic.ResourceProvider<I, O>>;
  /** What it has told: the engine shows these lines as progress. */
  readonly printed: string[];
}

const telling = new AsyncLocalStorage<string[]>();
const log = console.log;
console.log = (...words: unknown[]): void => {
  const printed = telling.getStore();
  if (printed === undefined) log(...words);
  else printed.push(words.join(" "));
};

/** That provider, whose lines are kept and not shown. */
export function served<I, O>(provider: dynamic.ResourceProvider<I, O>): Served<I, O> {
  const printed: string[] = [];
  const methods = Object.entries(provider).map(
    ([name, method]: [string, (...args: unknown[]) => unknown]) => [
      name,
      (...args: unknown[]) => telling.run(printed, () => method(...args)),
    ],
  );
  return { provider: Object.fromEntries(methods) as Required<dynamic.ResourceProvider<I, O>>, printed };
}
