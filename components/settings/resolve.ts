import type { z } from "zod";
import { checkForm } from "./form";
import type { Problem } from "./problems";
import type { Resolved, Written } from "./setting";

/** Settings with their defaults, and what is wrong with those that were written. */
export interface Resolution<S extends z.ZodObject> {
  /** A setting that is wrong has its default here. */
  readonly value: Resolved<S>;
  readonly problems: readonly Problem[];
  /** Whether these are as they should be: a rule about several settings says nothing of those that are wrong by themselves. */
  readonly sound: (...names: readonly (keyof z.output<S>)[]) => boolean;
}

/** Checks each setting by itself and fills in the defaults. `path` is where they stand, for messages; other arguments are let be. */
export function resolveSettings<S extends z.ZodObject>(
  schema: S,
  args: Written<S>,
  path: string,
): Resolution<S> {
  const given = args as Readonly<Record<string, unknown>>;
  const own = Object.keys(schema.shape).flatMap((name) =>
    given[name] === undefined ? [] : [[name, given[name]] as const],
  );
  const { kept, problems } = checkForm(schema, Object.fromEntries(own), { path, values: true });
  const wrong = new Set(problems.map(({ setting }) => setting.slice(path.length + 1).split(/[.[]/)[0]));
  return {
    value: schema.parse(kept),
    problems,
    sound: (...names) => !names.some((name) => wrong.has(String(name))),
  };
}
