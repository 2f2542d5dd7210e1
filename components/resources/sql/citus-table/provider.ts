import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { recordedState } from "../../../dynamic/recorded-state";
import { orDrift } from "../../../dynamic/drift";
import { isUnknown } from "../../../dynamic/unknown-value";
import type { Session, SessionOptions, SessionTarget } from "../session";
import { sqlState, withSession } from "../session";
import type { TableSpec, TableState, TableStep } from "./plan";
import { describeTableStep, planTable, tableProblems, tableWarnings } from "./plan";
import {
  alterStatement,
  distributeStatement,
  readColumnTypeStatement,
  readGroupsStatement,
  readTableStatement,
  readUniqueWithoutStatement,
  referenceStatement,
  undistributeStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";
import { messageOf } from "../../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const CITUS_TABLE_PROVIDER_VERSION = 1;

export interface CitusTableInputs extends TableSpec {
  /** A session on the coordinators' leader, in the distributed database. */
  readonly target: Omit<SessionTarget, "password">;
  readonly password: string;
  readonly onDelete: "keep" | "undistribute";
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type CitusTableOutputs = CitusTableInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

/** One statement copies all rows into the shards, however many there are. */
const COPYING_SECONDS = 24 * 3600;

async function readTable(session: Session, spec: TableSpec): Promise<TableState> {
  type Row = Pick<TableState, "present" | "kind" | "column" | "shardCount" | "colocation">;
  const read = async (table: string): Promise<Row> => {
    const [row] = await session.query<Row>(readTableStatement(), [table]);
    if (row === undefined) throw new Error(`the query for the state of ${table} returned no row`);
    return row;
  };
  const typeOf = async (table: string, column: string): Promise<string | undefined> =>
    (await session.query<{ type: string }>(readColumnTypeStatement(), [table, column]))[0]?.type;
  const row = await read(spec.table);
  const column = spec.column ?? "";
  const wants = spec.kind === "distributed" && row.present;
  const unique = wants
    ? await session.query<{ name: string }>(readUniqueWithoutStatement(), [spec.table, column])
    : [];
  const [{ groups } = { groups: 0 }] = await session.query<{ groups: number }>(readGroupsStatement());
  const beside = spec.colocateWith;
  const other =
    beside === undefined || beside === "none" || beside === "default" ? undefined : await read(beside);
  const besideType = other?.column ? await typeOf(beside ?? "", other.column) : undefined;
  return {
    ...row,
    columnType: wants ? await typeOf(spec.table, column) : undefined,
    uniqueWithout: unique.map(({ name }) => name),
    neighbour:
      other?.kind === "distributed" && besideType !== undefined && other.colocation !== null
        ? { columnType: besideType, colocation: other.colocation }
        : undefined,
    groups,
  };
}

async function execute(session: Session, table: string, step: TableStep): Promise<void> {
  switch (step.do) {
    case "reference":
      await session.query(referenceStatement(), [table]);
      return;
    case "distribute":
      await session.query(distributeStatement(), [
        table,
        step.column,
        step.shardCount ?? null,
        step.colocateWith,
      ]);
      return;
    case "alter":
      await session.query(alterStatement(), [
        table,
        step.column ?? null,
        step.shardCount ?? null,
        step.colocateWith ?? null,
        // Change the shard count of colocated tables too, so that they stay colocated.
        step.shardCount !== undefined && step.column === undefined && step.colocateWith === undefined
          ? true
          : null,
      ]);
      return;
  }
}

const on = <T>(
  inputs: CitusTableInputs,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> => withSession({ ...inputs.target, password: inputs.password }, use, options);

async function reconcile(inputs: CitusTableInputs): Promise<CitusTableOutputs> {
  const options = { deadlineSeconds: inputs.deadlineSeconds, statementTimeoutSeconds: COPYING_SECONDS };
  await on(inputs, options, async (session) => {
    const state = await readTable(session, inputs);
    const problems = tableProblems(inputs, state);
    if (problems.length > 0) throw new Error(problems.join("\n"));
    for (const line of tableWarnings(inputs, state)) printProgress(line);
    const steps = planTable(inputs, state);
    if ("refused" in steps) throw new Error(steps.refused);
    for (const step of steps) {
      printProgress(describeTableStep(inputs.table, step));
      await execute(session, inputs.table, step);
    }
  });
  return { ...inputs, drift: [] };
}

/** What the database would do with the declaration; empty if it cannot be asked, as before the first `up`. */
async function foresee(
  inputs: CitusTableInputs,
): Promise<{ wrong: readonly string[]; steps: readonly string[] }> {
  try {
    return await on(inputs, { deadlineSeconds: 0 }, async (session) => {
      const state = await readTable(session, inputs);
      const wrong = tableProblems(inputs, state);
      if (wrong.length > 0) return { wrong, steps: [] };
      const steps = planTable(inputs, state);
      return "refused" in steps
        ? { wrong: [steps.refused], steps: [] }
        : { wrong, steps: steps.map((step) => describeTableStep(inputs.table, step)) };
    });
  } catch (error) {
    // 42P01 undefined_table: this database does not have the extension citus yet.
    const said = messageOf(error);
    if (sqlState(error) !== "42P01") printProgress(`cannot read the state of ${inputs.table}: ${said}`);
    return { wrong: [], steps: [] };
  }
}

export const citusTableProvider: dynamic.ResourceProvider<CitusTableInputs, CitusTableOutputs> = {
  async check(_olds, news) {
    const failures: { property: string; reason: string }[] = [];
    if (isUnknown(news)) return { inputs: news, failures };
    const { kind, column, shardCount } = news;
    if (kind === "distributed" && !column)
      failures.push({
        property: "column",
        reason: "must name the distribution column of a distributed table",
      });
    if (
      shardCount !== undefined &&
      !(Number.isInteger(shardCount) && shardCount >= 1 && shardCount <= 64_000)
    )
      failures.push({ property: "shardCount", reason: `must be 1 to 64000, got ${shardCount}` });
    if (failures.length === 0) {
      const { wrong, steps } = await foresee(news);
      for (const line of steps) printProgress(line);
      failures.push(...wrong.map((reason) => ({ property: "table", reason })));
    }
    return { inputs: news, failures };
  },

  diff(_id, olds, news) {
    const names = ["target", "password", "table", "kind", "column", "shardCount", "colocateWith", "onChange"];
    const { changed, certain } = changedInputs(olds, news, [...names, "onDelete", "providerVersion"]);
    return Promise.resolve({
      changes: changed.length > 0 || olds.drift.length > 0,
      replaces: certain.filter((name) => name === "table"),
    });
  },

  async create(inputs) {
    return { id: inputs.table, outs: await reconcile(inputs) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    return orDrift(id, recorded, async () => {
      const state = await on(recorded, { deadlineSeconds: 15 }, (session) => readTable(session, recorded));
      if (!state.present) return {};
      const steps = planTable(recorded, state);
      const drift =
        "refused" in steps ? [steps.refused] : steps.map((step) => describeTableStep(recorded.table, step));
      return { id, props: { ...recorded, drift } };
    });
  },

  async update(_id, _olds, news) {
    return { outs: await reconcile(news) };
  },

  async delete(_id, props) {
    if (props.onDelete === "keep") {
      printProgress(`${props.table} is kept as it is, with its rows`);
      return;
    }
    const options = { deadlineSeconds: props.deadlineSeconds, statementTimeoutSeconds: COPYING_SECONDS };
    await on(props, options, async (session) => {
      const { kind } = await readTable(session, props);
      if (kind !== "distributed" && kind !== "reference") return;
      printProgress(`move the rows of ${props.table} back to the coordinator`);
      await session.query(undistributeStatement(), [props.table]);
    });
  },
};
