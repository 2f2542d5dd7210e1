import { z } from "zod";

/**
 * A setting is declared once, beside the component that has it: a key of a schema, whose comment says what it is. Types of arguments,
 * defaults, refusals, README's table and the settings of a stack come from there (docs/architecture.md, "Adding a setting").
 */

/** What a change of a setting costs, from the least to the most. `tests/unit/stacks/costs.test.ts` holds it against what a change does. */
export const COSTS = {
  none: "nothing",
  reload: "reload",
  restart: "rolling restart",
  members: "members join or leave",
  replacement: "rolling replacement",
  never: "fixed when the cluster is made",
} as const;

export type Cost = keyof typeof COSTS;

/** What people want to know of a setting besides its type and its sentence. */
export interface Facts {
  /** What a number counts: `s`, `days`. */
  readonly unit?: string;
  /** The most that a change may cost, where it differs by platform. */
  readonly cost: Cost | Readonly<Record<"docker" | "kubernetes", Cost>>;
  /** When it costs less or nothing: `where PostgreSQL needs it`. */
  readonly when?: string;
  /** What holds without a value, where that is no constant: `what `maxClients` may need`. */
  readonly otherwise?: string;
}

/** What is known of each setting, by its schema. */
const FACTS = z.registry<Facts>();

/** @param path where it stands, for the message. */
export function factsOf(schema: z.core.$ZodType, path: string): Facts {
  const facts = FACTS.get(schema as z.ZodType);
  if (facts === undefined)
    throw new Error(`${path} does not say what a change costs: declare it by setting()`);
  return facts;
}

/** A setting that may be left out. */
export function setting<T extends z.ZodType>(
  type: T,
  facts: Facts & { readonly default: z.input<T> & {} },
): z.ZodDefault<T>;
export function setting<T extends z.ZodType>(type: T, facts: Facts): z.ZodOptional<T>;
export function setting<T extends z.ZodType>(type: T, facts: Facts & { readonly default?: z.input<T> & {} }) {
  const { default: value, ...rest } = facts;
  const schema =
    value === undefined ? type.optional() : type.default(value as z.core.util.NoUndefined<z.output<T>>);
  FACTS.add(schema, rest);
  return schema;
}

/** A setting that whoever has its section must write. */
export function required<T extends z.ZodType>(type: T, facts: Facts): T {
  FACTS.add(type, facts);
  return type;
}

/** Settings that belong together. Unknown names are refused. */
export const settings = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape);

/** Settings below a name of their own, each of which may be left out. */
export const section = <S extends z.ZodRawShape>(shape: S) =>
  settings(shape)
    .readonly()
    .prefault({} as never);

/** Each setting as it may be written in a place of its own, where it has no default. */
type Over<S extends z.ZodRawShape> = {
  [K in keyof S]: z.ZodOptional<
    z.ZodType<Exclude<z.output<S[K]>, undefined>, Exclude<z.input<S[K]>, undefined>>
  >;
};

/** The same settings in a place that lies over `below`: what is not said there is as it is below. */
export const over = <S extends z.ZodRawShape>(shape: S, below: string): Over<S> =>
  Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => {
      const there = `${below}.${name}`;
      const inner = unwrap(schema);
      const otherwise = `${inner instanceof z.ZodRecord ? "over" : "as"} \`${there}\``;
      return [
        name,
        inner instanceof z.ZodObject
          ? settings(over(inner.shape, there)).readonly().optional()
          : setting(bare(schema as z.ZodType), { ...factsOf(schema, there), otherwise }),
      ];
    }),
  ) as Over<S>;

/** A schema without its default, or the leave to say nothing. It is read-only if it was. */
const bare = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? bare(schema.unwrap() as z.ZodType)
    : schema;

/** What a schema is about, without what only says whether it may be left out or changed. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
    ? unwrap(schema.unwrap())
    : schema;
}

/** Settings as they may be written. */
export type Written<S extends z.ZodType> = Readonly<z.input<S>>;
/** Settings with every default filled in. */
export type Resolved<S extends z.ZodType> = Readonly<z.output<S>>;
