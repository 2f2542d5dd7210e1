import { z } from "zod";

/**
 * A setting is declared once, beside its component: a key of a schema, with a comment that describes it. Argument types, defaults, checks,
 * README's table and the settings of a stack are derived from it (docs/architecture.md, "Adding a setting").
 */

/** What changing a setting costs, from least to most. `tests/unit/stacks/costs.test.ts` compares it with what a change does. */
export const COSTS = {
  none: "nothing",
  reload: "reload",
  restart: "rolling restart",
  members: "members join or leave",
  replacement: "rolling replacement",
  never: "fixed when the cluster is made",
} as const;

export type Cost = keyof typeof COSTS;

/** What users need to know about a setting besides its type and description. */
export interface Facts {
  /** Unit of a number: `s`, `days`. */
  readonly unit?: string;
  /** The maximum cost of a change, per platform if it differs. */
  readonly cost: Cost | Readonly<Record<"docker" | "kubernetes", Cost>>;
  /** When a change has this cost: `where PostgreSQL needs one, else reload`. */
  readonly when?: string;
  /** The default, if it is not a constant: `what `maxClients` may need`. */
  readonly otherwise?: string;
}

/** The facts about each setting, by its schema. */
const FACTS = z.registry<Facts>();

/** @param path of the setting, for the message */
export function factsOf(schema: z.core.$ZodType, path: string): Facts {
  const facts = FACTS.get(schema as z.ZodType);
  if (facts === undefined) throw new Error(`${path} does not declare what a change costs: use setting()`);
  return facts;
}

/** An optional setting. */
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

/** A setting that is required in its section. */
export function required<T extends z.ZodType>(type: T, facts: Facts): T {
  FACTS.add(type, facts);
  return type;
}

/** A group of settings. Unknown names are rejected. */
export const settings = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape);

/** A section of optional settings. */
export const section = <S extends z.ZodRawShape>(shape: S) =>
  settings(shape)
    .readonly()
    .prefault({} as never);

/** The same settings without defaults. */
type Over<S extends z.ZodRawShape> = {
  [K in keyof S]: z.ZodOptional<
    z.ZodType<Exclude<z.output<S[K]>, undefined>, Exclude<z.input<S[K]>, undefined>>
  >;
};

/** The same settings in a section that overrides `below`, from which unset ones are inherited. */
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

/** A schema without its default or `optional`. `readonly` is kept. */
const bare = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? bare(schema.unwrap() as z.ZodType)
    : schema;

/** The inner schema, without `default`, `optional` and `readonly`. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
    ? unwrap(schema.unwrap())
    : schema;
}

/** Settings as users write them. */
export type Written<S extends z.ZodType> = Readonly<z.input<S>>;
/** Settings with defaults filled in. */
export type Resolved<S extends z.ZodType> = Readonly<z.output<S>>;
