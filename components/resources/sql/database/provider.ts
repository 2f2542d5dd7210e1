import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { recordedState } from "../../../dynamic/recorded-state";
import { orDrift } from "../../../dynamic/drift";
import type { Session, SessionTarget } from "../session";
import { sqlState, withSession } from "../session";
import { checkDatabase } from "./check";
import { renewPools } from "../renew-pools";
import type { DatabaseSpec, DatabaseState, Holders, ObjectKind, ServerState } from "./plan";
import { describeDatabaseStep, functionName, planDatabase, planServer } from "./plan";
import {
  databaseStatements,
  functionParameters,
  readDefaultsStatement,
  readFunctionStatement,
  readObjectsStatement,
  readSchemaStatement,
  readServerStatement,
  serverStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const DATABASE_PROVIDER_VERSION = 1;

export interface DatabaseInputs extends DatabaseSpec {
  readonly target: Omit<SessionTarget, "password">;
  /** The password of `target.user`. */
  readonly password: string;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type DatabaseOutputs = DatabaseInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

interface HolderRow {
  readonly kind: ObjectKind;
  readonly privilege: string | null;
  readonly role: string | null;
}

function holdersOf(rows: readonly HolderRow[]): Holders {
  const holders: Record<string, string[]> = {};
  for (const { privilege, role } of rows) {
    if (privilege !== null && role !== null) (holders[privilege] ??= []).push(role);
  }
  return holders;
}

async function readServer(session: Session, name: string): Promise<ServerState> {
  const [database] = await session.query<NonNullable<ServerState["database"]>>(readServerStatement(), [name]);
  return database === undefined ? {} : { database };
}

async function readDatabase(session: Session, spec: DatabaseSpec): Promise<DatabaseState> {
  const [schema] = await session.query<{ extensions: string[]; publicCreates: boolean }>(
    readSchemaStatement(),
  );
  const objectRows = await session.query<HolderRow & { identity: string }>(readObjectsStatement(), [
    spec.owner,
  ]);
  const defaultRows = await session.query<HolderRow>(readDefaultsStatement(), [spec.owner]);
  const functions: string[] = [];
  for (const made of spec.functions ?? []) {
    const parameters = functionParameters(made, spec.functions ?? []);
    const [found] = await session.query<{ current: boolean }>(readFunctionStatement(), parameters);
    if (found?.current === true) functions.push(functionName(made));
  }
  const grouped = new Map<string, { kind: ObjectKind; identity: string; rows: HolderRow[] }>();
  for (const row of objectRows) {
    const key = `${row.kind} ${row.identity}`;
    const object = grouped.get(key) ?? { kind: row.kind, identity: row.identity, rows: [] };
    object.rows.push(row);
    grouped.set(key, object);
  }
  const defaultsOf = (kind: ObjectKind): Holders => holdersOf(defaultRows.filter((row) => row.kind === kind));
  return {
    extensions: schema?.extensions ?? [],
    publicCreates: schema?.publicCreates ?? false,
    objects: [...grouped.values()].map(({ kind, identity, rows }) => ({
      kind,
      identity,
      holders: holdersOf(rows),
    })),
    defaults: {
      schema: defaultsOf("schema"),
      table: defaultsOf("table"),
      sequence: defaultsOf("sequence"),
      routine: defaultsOf("routine"),
    },
    functions,
  };
}

async function reconcile(inputs: DatabaseInputs, before: DatabaseSpec | undefined): Promise<DatabaseOutputs> {
  const options = { deadlineSeconds: inputs.deadlineSeconds };
  const target = { ...inputs.target, password: inputs.password };
  // Outside of `use`: if the session breaks, the next one finds the changes of the first one already made.
  let changed = false;
  await withSession(
    target,
    async (session) => {
      for (const step of planServer(await readServer(session, inputs.name), inputs, before)) {
        printProgress(describeDatabaseStep(step));
        changed = true;
        try {
          await session.query(serverStatement(step));
        } catch (error) {
          // 42P04 duplicate_database: an earlier attempt of this run created it before its connection broke.
          if (!(step.do === "create-database" && sqlState(error) === "42P04")) throw error;
        }
      }
      // CONNECT is only checked when a connection is opened; privileges on objects take effect immediately.
      if (changed) await renewPools(session, `who may connect to ${inputs.name} has changed`);
    },
    options,
  );
  await withSession(
    { ...target, database: inputs.name },
    async (session) => {
      for (const step of planDatabase(await readDatabase(session, inputs), inputs, before)) {
        printProgress(`${inputs.name}: ${describeDatabaseStep(step)}`);
        // One transaction per step: a function must not be missing between DROP and CREATE.
        await session.query("BEGIN");
        for (const statement of databaseStatements(step)) await session.query(statement);
        await session.query("COMMIT");
      }
    },
    options,
  );
  return { ...inputs, drift: [] };
}

export const databaseProvider: dynamic.ResourceProvider<DatabaseInputs, DatabaseOutputs> = {
  check: (_olds, news) => Promise.resolve({ inputs: news, failures: checkDatabase(news) }),

  diff(_id, olds, news) {
    const names = [
      "target",
      "password",
      "name",
      "owner",
      "extensions",
      "access",
      "connect",
      "functions",
      "providerVersion",
    ];
    const inputs = changedInputs(olds, news, names);
    return Promise.resolve({
      changes: inputs.changed.length > 0 || olds.drift.length > 0,
      // A different name is a different database; the old one is kept, with its data.
      replaces: inputs.certain.filter((name) => name === "name"),
    });
  },

  async create(inputs) {
    return { id: inputs.name, outs: await reconcile(inputs, undefined) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    const target = { ...recorded.target, password: recorded.password };
    const options = { deadlineSeconds: 15 };
    return orDrift(id, recorded, async () => {
      const server = await withSession(target, (session) => readServer(session, recorded.name), options);
      if (server.database === undefined) return {};
      const state = await withSession(
        { ...target, database: recorded.name },
        (session) => readDatabase(session, recorded),
        options,
      );
      const steps = [...planServer(server, recorded), ...planDatabase(state, recorded)];
      return { id, props: { ...recorded, drift: steps.map((step) => describeDatabaseStep(step)) } };
    });
  },

  async update(_id, olds, news) {
    return { outs: await reconcile(news, olds) };
  },

  delete(_id, props) {
    printProgress(
      `database ${props.name} is kept, with its data; drop it manually when it is no longer needed`,
    );
    return Promise.resolve();
  },
};
