import { z } from "zod";
import { unwrap } from "./form";
import { SETTINGS_SCHEMA } from "./settings";

/** The settings as a Markdown table, in the schema's order. */
export function settingsTable(): string {
  return ["| Setting | What it is |", "|---|---|", ...rows(SETTINGS_SCHEMA, ""), ""].join("\n");
}

function rows(schema: z.ZodObject, prefix: string): string[] {
  return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([key, field]) => {
    const inner = unwrap(field);
    const row = `| \`${prefix}${key}\` | ${textOf(field)}${choices(inner)} |`;
    return inner instanceof z.ZodObject ? [row, ...rows(inner, `${prefix}${key}.`)] : [row];
  });
}

/** The description that was given to the field or to what it makes optional. */
function textOf(field: z.core.$ZodType): string {
  const own = z.globalRegistry.get(field)?.description;
  if (own !== undefined) return own;
  return field instanceof z.ZodOptional ? textOf(field.unwrap()) : "";
}

const choices = (field: z.core.$ZodType): string =>
  field instanceof z.ZodEnum
    ? ` One of ${field.options.map((option) => `\`${String(option)}\``).join(", ")}.`
    : "";
