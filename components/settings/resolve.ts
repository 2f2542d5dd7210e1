import type { z } from "zod";
import { checkForm } from "./form";
import type { Problem } from "./problems";
import type { Resolved, Written } from "./setting";

/** Settings with defaults filled in, and the problems of those that were written. */
export interface Resolution<S extends z.ZodObject> {
  /** An invalid setting has its default here. */
  readonly value: Resolved<S>;
  readonly problems: readonly Problem[];
  /** Whether these settings are valid by themselves. Only then are rules about several settings checked. */
  readonly sound: (...names: readonly (keyof z.output<S>)[]) => boolean;
}

/** Checks each setting by itself and fills in defaults. `path` is for messages. Arguments that are not settings are ignored. */
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
