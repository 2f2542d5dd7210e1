import { z } from "zod";
import { nearest } from "../../config-files/format/nearest";
import type { Problem } from "./problems";
import { unwrap } from "./setting";

/** Validates settings against a schema, with messages for the author of the YAML file. */

type Issue = z.core.$ZodIssue;

export interface FormOptions {
  /** Path of the settings, for messages: `etcd`. Default: the top level. */
  readonly path?: string;
  /** Also check what values mean, not only their form. Default false. */
  readonly values?: boolean;
}

/** The problems of `raw`, and `raw` without the invalid values, so that the rest can be checked in the same run. */
export function checkForm(
  schema: z.ZodObject,
  raw: Record<string, unknown>,
  { path, values = false }: FormOptions = {},
): { readonly kept: Record<string, unknown>; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  let kept = raw;
  const issuesIn = (settings: unknown): readonly Issue[] =>
    issuesOf(schema, settings).filter((issue) => values || remedyOf(issue) === undefined);
  // Removing a value may make its parent invalid: a list entry without its number is removed entirely.
  for (let issues = issuesIn(raw); issues.length > 0; issues = issuesIn(kept)) {
    if (kept === raw)
      problems.push(
        ...issues.flatMap((issue) => explain(issue, schema, raw, path === undefined ? [] : [path])),
      );
    kept = without(kept, issues);
  }
  return { kept, problems };
}

/** The remedy of a check on a well-formed value. */
const remedyOf = (issue: Issue): string | undefined =>
  issue.code === "custom" ? (issue.params?.["remedy"] as string | undefined) : undefined;

/** For a value that may have several forms, only the issues of the intended form. */
function issuesOf(schema: z.ZodObject, raw: unknown): readonly Issue[] {
  const meant = (issue: Issue): readonly Issue[] => {
    if (issue.code !== "invalid_union") return [issue];
    const branch = issue.errors.filter((errors) => errors.every(({ path }) => path.length > 0));
    const [only] = branch;
    return only === undefined || branch.length > 1
      ? [issue]
      : only.flatMap((inner) => meant({ ...inner, path: [...issue.path, ...inner.path] }));
  };
  return (schema.safeParse(raw).error?.issues ?? []).flatMap(meant);
}

/** `raw` without the values that issues are about, or their nearest parent that can be removed. */
function without(raw: Record<string, unknown>, issues: readonly Issue[]): Record<string, unknown> {
  const copy = structuredClone(raw);
  for (const issue of issues) {
    const path = issue.path.map(String);
    const doomed = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
    for (const keys of doomed) {
      for (let end = keys.length; end > 0; end--) {
        const owner = valueAt(copy, keys.slice(0, end - 1));
        const key = keys[end - 1] ?? "";
        if (!isSection(owner) || !(key in owner)) continue;
        Reflect.deleteProperty(owner, key);
        break;
      }
    }
  }
  return copy;
}

function explain(issue: Issue, schema: z.ZodObject, raw: unknown, above: readonly string[]): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return {
        setting: dotted([...above, ...path, key]),
        value: valueAt(raw, [...path, key]),
        rule: "is not a setting",
        remedy: near
          ? `Write ${dotted([...above, ...path, near])} if you meant that`
          : `Use one of ${known.join(", ")}`,
      };
    });
  }
  const value = valueAt(raw, path);
  // Any value in place of a password may be one.
  const secret = path.includes("passwords") && value !== null;
  const about = {
    setting: path.length > 0 ? dotted([...above, ...path]) : "(settings)",
    value: secret ? "(a secret)" : value,
  };
  const remedy = remedyOf(issue);
  if (remedy !== undefined) return [{ ...about, rule: issue.message, remedy }];
  if (value === null)
    return [{ ...about, rule: "has no value", remedy: "Write one after the colon, or remove the setting" }];
  return [{ ...about, ...wrongForm(issue, schemaAt(schema, path), value) }];
}

/** YAML reads `1.10` as the number 1.1, and some versions read `off` as false. Only quotes preserve the text. */
const QUOTES = "Put it in quotes: YAML reads 1.10 as the number 1.1, without the zero";

function wrongForm(
  issue: Issue,
  schema: z.core.$ZodType | undefined,
  value: unknown,
): Pick<Problem, "rule" | "remedy"> {
  const plain = ["number", "boolean"].includes(typeof value);
  const own = issue.message.startsWith("Invalid ") ? undefined : issue.message;
  if (own !== undefined) return { rule: own, remedy: "Write it so" };
  if (schema instanceof z.ZodString) {
    return plain
      ? { rule: `must be text, but is a ${typeof value}`, remedy: QUOTES }
      : { rule: "must be text", remedy: "Write a single value in quotes" };
  }
  if (schema instanceof z.ZodNumber) {
    const remedy =
      typeof value === "string" && /^-?\d+$/.test(value)
        ? `Write ${value} without quotes`
        : `Write ${typeof value === "number" ? Math.round(value) : 3}, for example, without quotes`;
    return { rule: "must be a whole number", remedy };
  }
  if (schema instanceof z.ZodBoolean)
    return { rule: "must be true or false", remedy: "Write true or false, without quotes" };
  if (schema instanceof z.ZodEnum) {
    const options = schema.options.map(String);
    const remedy =
      value === false && options.includes("off") ? 'Write "off", in quotes' : `Use ${options[0] ?? ""}`;
    return { rule: `must be one of ${options.join(", ")}`, remedy };
  }
  if (schema instanceof z.ZodArray) return { rule: "must be a list", remedy: "Put it in [ ... ]" };
  if (schema instanceof z.ZodObject)
    return {
      rule: `must be a section with settings (${Object.keys(schema.shape).join(", ")})`,
      remedy: "Write them below it, one per line",
    };
  if (schema instanceof z.ZodRecord)
    return { rule: "must be a map of names and values", remedy: "Write them below it, one per line" };
  return { rule: `has the wrong form (${issue.message})`, remedy: "See the settings table in the README" };
}

/** `groups.2.memory` in the usual notation: `groups[2].memory`. */
const dotted = (path: readonly string[]): string =>
  path.reduce(
    (text, key) => (/^\d+$/.test(key) ? `${text}[${key}]` : text === "" ? key : `${text}.${key}`),
    "",
  );

const valueAt = (raw: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], raw);

/** The schema at `path`; undefined if there is none. */
function schemaAt(schema: z.core.$ZodType, path: readonly string[]): z.core.$ZodType | undefined {
  const [key, ...rest] = path;
  const outer = unwrap(schema);
  if (key === undefined) return outer;
  const next = (): z.core.$ZodType | undefined => {
    if (outer instanceof z.ZodObject) return outer.shape[key] as z.core.$ZodType | undefined;
    if (outer instanceof z.ZodArray) return outer.element;
    if (outer instanceof z.ZodRecord) return outer.valueType;
    if (outer instanceof z.ZodUnion)
      return outer.options.map((option) => schemaAt(option, [key])).find((found) => found !== undefined);
    return undefined;
  };
  const inner = next();
  return inner && schemaAt(inner, rest);
}

/** The valid names below `path`. */
function keysAt(schema: z.ZodObject, path: readonly string[]): string[] {
  const object = schemaAt(schema, path);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

export const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
