import { z } from "zod";
import { type Cost, COSTS, type Facts, factsOf, unwrap } from "./setting";
import { KINDS } from "./kinds";

/** Settings as a table in Markdown, in the schema's order. */
export interface TableContext {
  /** The description of each setting, by its path. */
  readonly sentences: ReadonlyMap<string, string>;
  /** Defaults of each environment, which override those of the schema. */
  readonly environments: Readonly<Record<string, unknown>>;
}

const HEADER = ["Setting", "What it is", "Type", "Default", "A change costs"];

export function settingsTable(schema: z.ZodObject, context: TableContext): string {
  const lines = [HEADER, HEADER.map(() => "---"), ...rows(schema, [], context)];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function rows(schema: z.ZodObject, above: readonly string[], context: TableContext): string[][] {
  return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([key, field]) => {
    const path = [...above, key];
    const inner = unwrap(field);
    const start = [`\`${path.join(".")}\``, sentenceOf(path, context)];
    if (inner instanceof z.ZodObject) return [[...start, "", "", ""], ...rows(inner, path, context)];
    const facts = factsOf(field, path.join("."));
    return [[...start, typeOf(field, facts), defaultOf(field, path, facts, context), costOf(facts)]];
  });
}

function sentenceOf(path: readonly string[], { sentences }: TableContext): string {
  const sentence = sentences.get(path.join("."));
  if (!sentence) throw new Error(`${path.join(".")} has no comment that describes it`);
  return sentence;
}

/** The name of a kind belongs to the wrapped schema or to one of its wrappers. */
function typeOf(field: z.core.$ZodType, { unit }: Facts): string {
  const kind = KINDS.get(field as z.ZodType)?.kind;
  if (kind !== undefined) return unit === undefined ? kind : `${kind} ${unit}`;
  if (unwrap(field) === field) throw new Error("a setting has a type that kinds.ts does not define");
  return typeOf((field as z.ZodOptional<z.ZodType>).unwrap(), { cost: "none", unit });
}

function defaultOf(
  field: z.core.$ZodType,
  path: readonly string[],
  { otherwise }: Facts,
  { environments }: TableContext,
): string {
  const own = field instanceof z.ZodDefault ? textOf(field.def.defaultValue) : otherwise;
  const differing = Object.entries(environments).flatMap(([name, defaults]) => {
    const value = path.reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      defaults,
    );
    return value === undefined || textOf(value) === own ? [] : [`${name} ${textOf(value)}`];
  });
  const always = field instanceof z.ZodOptional || own !== undefined ? own : "required";
  return [always, differing.join(", ")].filter(Boolean).join("; ");
}

function textOf(value: unknown): string {
  if (typeof value === "object" && value !== null)
    return Object.keys(value).length === 0 ? "none" : JSON.stringify(value);
  return `\`${String(value)}\``;
}

function costOf({ cost, when }: Facts): string {
  const text = (of: Cost): string => (when === undefined ? COSTS[of] : `${COSTS[of]} ${when}`);
  return typeof cost === "string"
    ? text(cost)
    : `${text(cost.docker)} (Docker), ${text(cost.kubernetes)} (Kubernetes)`;
}
