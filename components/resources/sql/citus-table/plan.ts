/** What is to be done with a table of a Citus cluster. Pure: what was seen goes in, what is wrong and the steps come out. */

export interface TableSpec {
  /** With its schema: `public.orders`. */
  readonly table: string;
  /** `distributed`: rows lie on the shards of a column. `reference`: every node has all of them. */
  readonly kind: "distributed" | "reference";
  /** Of a distributed table. */
  readonly column?: string;
  readonly shardCount?: number;
  /** Rows with equal values of the columns lie together with this table's; `none`: with nobody's. */
  readonly colocateWith?: string;
  /** What a change of column, shard count or neighbour does to a table that is distributed already. */
  readonly onChange: "refuse" | "alter";
}

export interface TableState {
  readonly present: boolean;
  /** `distributed`, `reference`, `schema`, `local`; null for a table of PostgreSQL alone. */
  readonly kind: string | null;
  readonly column: string | null;
  readonly shardCount: number | null;
  readonly colocation: number | null;
  /** Type of the wanted column; undefined when there is no such column. */
  readonly columnType?: string;
  /** Unique indexes without the wanted column. */
  readonly uniqueWithout: readonly string[];
  /** Of the table to lie with; undefined when it is not distributed. */
  readonly neighbour?: { readonly columnType: string; readonly colocation: number };
  /** Groups on which shards may lie. */
  readonly groups: number;
}

export type TableStep =
  | {
      readonly do: "distribute";
      readonly column: string;
      readonly shardCount?: number;
      readonly colocateWith: string;
    }
  | { readonly do: "reference" }
  | {
      readonly do: "alter";
      readonly column?: string;
      readonly shardCount?: number;
      readonly colocateWith?: string;
    };

const namesNeighbour = ({ colocateWith }: TableSpec): boolean =>
  colocateWith !== undefined && colocateWith !== "none" && colocateWith !== "default";

/** Why the table cannot be made what is declared. */
export function tableProblems(spec: TableSpec, state: TableState): readonly string[] {
  const { table, kind, column = "" } = spec;
  if (!state.present)
    return [`table ${table} does not exist: create it first, in a migration that its owner runs`];
  if (kind === "reference") return [];
  const problems: string[] = [];
  if (state.columnType === undefined) {
    problems.push(`${table} has no column "${column}" to distribute it by`);
  } else if (namesNeighbour(spec)) {
    const neighbour = spec.colocateWith ?? "";
    if (!state.neighbour)
      problems.push(`${neighbour}, with which ${table} is to be colocated, is not distributed`);
    else if (state.neighbour.columnType !== state.columnType) {
      problems.push(
        `${table}.${column} is ${state.columnType}, but ${neighbour} is distributed by ${state.neighbour.columnType}: ` +
          "colocation requires the same type",
      );
    }
  }
  for (const index of state.uniqueWithout) {
    problems.push(
      `the unique index ${index} does not include "${column}": uniqueness can only be enforced within a shard. Add the column to it`,
    );
  }
  return problems;
}

/** What is worth a word and no error. */
export function tableWarnings(spec: TableSpec, state: TableState): readonly string[] {
  const { shardCount } = spec;
  return spec.kind === "distributed" && shardCount !== undefined && shardCount < state.groups
    ? [
        `${spec.table}: with ${shardCount} shards, some of the ${state.groups} worker groups have none; use ${state.groups} or more`,
      ]
    : [];
}

const differences = (spec: TableSpec, state: TableState) => ({
  ...(spec.column !== state.column && { column: spec.column }),
  ...(spec.shardCount !== undefined &&
    spec.shardCount !== state.shardCount && { shardCount: spec.shardCount }),
  ...(namesNeighbour(spec) &&
    state.neighbour?.colocation !== state.colocation && { colocateWith: spec.colocateWith }),
});

/** The steps; an error when what is there is something else and nobody asked for it to be changed. */
export function planTable(
  spec: TableSpec,
  state: TableState,
): readonly TableStep[] | { readonly refused: string } {
  const { table, kind, column = "", shardCount, colocateWith = "default" } = spec;
  if (state.kind === "distributed" || state.kind === "reference") {
    if (state.kind !== kind) {
      return {
        refused: `${table} is a ${state.kind} table, but declared as a ${kind} table. Run SELECT undistribute_table('${table}') while it is not in use; the next up then converts it`,
      };
    }
    const change = kind === "reference" ? {} : differences(spec, state);
    if (Object.keys(change).length === 0) return [];
    if (spec.onChange === "alter") return [{ do: "alter", ...change }];
    const what = Object.entries(change).map(([name, value]) => `${name} ${value}`);
    return {
      refused: `${table} is distributed by ${state.column ?? "?"} in ${state.shardCount ?? "?"} shards, but declared with ${what.join(", ")}. Changing it rewrites all rows and locks the table meanwhile: set onChange to "alter" to allow it`,
    };
  }
  if (kind === "reference") return [{ do: "reference" }];
  return [{ do: "distribute", column, ...(shardCount !== undefined && { shardCount }), colocateWith }];
}

/** A step as a progress line. */
export function describeTableStep(table: string, step: TableStep): string {
  switch (step.do) {
    case "reference":
      return `copy ${table} to every node, as a reference table`;
    case "distribute": {
      const count = step.shardCount === undefined ? "" : ` in ${step.shardCount} shards`;
      const { colocateWith } = step;
      const beside =
        colocateWith === "default"
          ? ""
          : colocateWith === "none"
            ? ", without colocation"
            : `, colocated with ${colocateWith}`;
      return `distribute ${table} by ${step.column}${count}${beside}`;
    }
    case "alter":
      return `rewrite ${table} with ${Object.entries(step)
        .filter(([name]) => name !== "do")
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")}`;
  }
}
