/** Plans how to distribute a table of a Citus cluster. Pure: takes the current state and returns problems and steps. */

export interface TableSpec {
  /** With its schema: `public.orders`. */
  readonly table: string;
  /** `distributed`: rows are in shards, by one column. `reference`: every node has all rows. */
  readonly kind: "distributed" | "reference";
  /** The distribution column; not for reference tables. */
  readonly column?: string;
  readonly shardCount?: number;
  /** The table to colocate with; `none`: no colocation. */
  readonly colocateWith?: string;
  /** What a change of column, shard count or colocation does to an already distributed table. */
  readonly onChange: "refuse" | "alter";
}

export interface TableState {
  readonly present: boolean;
  /** `distributed`, `reference`, `schema`, `local`; null for a table that Citus does not manage. */
  readonly kind: string | null;
  readonly column: string | null;
  readonly shardCount: number | null;
  readonly colocation: number | null;
  /** Type of the declared column; undefined if the table has no such column. */
  readonly columnType?: string;
  /** Unique indexes that do not include the declared column. */
  readonly uniqueWithout: readonly string[];
  /** Column type and colocation id of the table to colocate with; undefined if that is not distributed. */
  readonly neighbour?: { readonly columnType: string; readonly colocation: number };
  /** Number of groups that may have shards. */
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

/** Why the table cannot be distributed as declared. */
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
      problems.push(
        `${table} cannot be colocated with ${neighbour}, which is not a distributed table: distribute that first`,
      );
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

/** Problems that do not prevent the distribution. */
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

/** The steps, or why an already distributed table is not changed. */
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
