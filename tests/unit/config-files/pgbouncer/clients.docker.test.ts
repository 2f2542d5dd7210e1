import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { poolWorkload } from "../../../../components/proxy-tier";
import { resolveProxyTier } from "../../../../components/proxy-tier-args";
import { databaseProvider } from "../../../../components/resources/sql/database/provider";
import { rolesProvider } from "../../../../components/resources/sql/roles/provider";
import { withSession } from "../../../../components/resources/sql/session";
import { describeWithImage, docker, dockerMeanwhile, logOf } from "../../../support/docker";
import { freePort, type PooledTrial, startPooledTrial } from "../../../support/pooled-trial";
import { served } from "../../../support/served";
import { eventually } from "../../../support/stack";
import { connect, query, type WriterTarget } from "../../../support/writer";

/** Two connections for a role, and four for all roles: few enough that clients share them. */
const POOL_SIZE = 2;

describeWithImage("clients of a pool", () => {
  const prefix = `clients-${randomBytes(3).toString("hex")}`;
  let pooled: PooledTrial;
  /** The pools that undo what a client left in its session, and those that do not. */
  const ports: Record<"careful" | "fast", number> = { careful: 0, fast: 0 };
  const member = `${prefix}-patroni-0`;
  const poolOf = (which: keyof typeof ports): string => `${prefix}-${which}-0`;

  beforeAll(async () => {
    pooled = await startPooledTrial(prefix);
    await withSession(pooled.trial.target, (superuser) =>
      superuser.query("GRANT app_readonly TO dpg_cluster"),
    );
    const tls = { name: "tls" };
    const database = { workload: "patroni", members: 1, name: "app" };
    for (const which of ["careful", "fast"] as const) {
      const resetSessions = which === "careful";
      const { value: resolved } = resolveProxyTier(
        { poolSize: POOL_SIZE, resetSessions },
        { parameters: { max_connections: 100 } },
      );
      const spec = poolWorkload("primary", resolved, database, pooled.addresses, { tls, pool: tls });
      ports[which] = await freePort();
      await pooled.run({ ...spec, name: which }, 0, ["--publish", `127.0.0.1:${ports[which]}:6432`]);
    }
    for (const which of ["careful", "fast"] as const) await query(as("dpg_cluster", which), "SELECT 1");
  });

  afterAll(() => {
    pooled.remove();
  });

  const as = (role: string, which: keyof typeof ports = "careful"): WriterTarget => ({
    addresses: [`127.0.0.1:${ports[which]}`],
    database: "app",
    user: role,
    password: pooled.passwords[role] ?? "",
    ca: pooled.trial.target.ca,
    serverName: "entry",
  });
  const open = (role: string, which: keyof typeof ports = "careful"): Promise<Client> =>
    connect(as(role, which), as(role, which).addresses[0]!);
  const poolLog = (which: keyof typeof ports): string => logOf(poolOf(which));
  /** Runs Python that speaks libpq's protocol; `con(role, **more)` is a connection through the careful pool. Resolves with what it prints. */
  const python = (program: string): Promise<string> => {
    const prologue = `
import psycopg2, sys, threading, time
PASSWORDS = ${JSON.stringify(pooled.passwords)}
def con(role, **more):
    made = psycopg2.connect(host="${poolOf("careful")}", port=6432, dbname="app", user=role, password=PASSWORDS[role],
                            sslmode="verify-full", sslrootcert="/secrets/tls/ca.crt", **{"connect_timeout": 20, **more})
    made.autocommit = True
    return made
def ask(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
`;
    return dockerMeanwhile("exec", member, "/usr/bin/python3", "-c", prologue + program);
  };

  describe("what one leaves in its session reaches no other (S1)", () => {
    interface Kind {
      readonly name: string;
      readonly set: string;
      readonly look: string;
      /** PgBouncer itself keeps it for the client that said it, and gives others their own. */
      readonly kept?: true;
    }
    const kinds: readonly Kind[] = [
      {
        name: "a setting of the application, by which rows are secured",
        set: "SET app.tenant = '7'",
        look: "SELECT coalesce(nullif(current_setting('app.tenant', true), ''), 'none') AS v",
      },
      {
        name: "the search path of a restored dump",
        set: "SELECT pg_catalog.set_config('search_path', '', false)",
        look: "SELECT current_setting('search_path') AS v",
      },
      { name: "another role", set: "SET ROLE app_readonly", look: "SELECT current_user::text AS v" },
      {
        name: "that it only reads",
        set: "SET default_transaction_read_only = on",
        look: "SELECT current_setting('default_transaction_read_only') AS v",
        kept: true,
      },
      {
        name: "an isolation level",
        set: "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, DEFERRABLE",
        look: "SELECT current_setting('default_transaction_isolation') AS v",
      },
      {
        // Shorter than a busy machine takes for the first word of the reset, and it would stay (pgbouncer.md).
        name: "a limit of time",
        set: "SET statement_timeout = 100",
        look: "SELECT current_setting('statement_timeout') AS v",
      },
      {
        name: "a temporary table",
        set: "CREATE TEMPORARY TABLE left_over (id int)",
        look: "SELECT count(*)::int AS v FROM pg_class WHERE relname = 'left_over'",
      },
      {
        name: "a lock of the session",
        set: "SELECT pg_advisory_lock(42)",
        look: "SELECT count(*)::int AS v FROM pg_locks WHERE locktype = 'advisory'",
      },
      {
        name: "a cursor that outlives its transaction",
        set: "DECLARE left_over CURSOR WITH HOLD FOR SELECT 1",
        look: "SELECT count(*)::int AS v FROM pg_cursors WHERE name = 'left_over'",
      },
      {
        name: "a channel that it listens to",
        set: "LISTEN left_over",
        look: "SELECT count(*)::int AS v FROM pg_listening_channels()",
      },
      {
        name: "the last value of a sequence",
        set: "CREATE TEMPORARY SEQUENCE counted; SELECT nextval('counted')",
        look: "SELECT (SELECT count(*) FROM pg_class WHERE relname = 'counted')::int AS v",
      },
      {
        name: "how its statements are planned",
        set: "SET plan_cache_mode = force_generic_plan",
        look: "SELECT current_setting('plan_cache_mode') AS v",
      },
      {
        name: "a time zone",
        set: "SET TimeZone = 'Asia/Tokyo'",
        look: "SELECT current_setting('TimeZone') AS v",
        kept: true,
      },
    ];

    const value = async (client: Client, statement: string): Promise<unknown> =>
      (await client.query<{ v: unknown }>(statement)).rows[0]?.v;

    /** What another client sees before and after the first one has said it, over the only connection that is free. */
    async function seenByAnother(which: keyof typeof ports, { set, look }: Kind) {
      const [busy, one, other] = await Promise.all([1, 2, 3].map(() => open("dpg_cluster", which)));
      try {
        // Of two connections one is taken, and the other is everybody's.
        await busy!.query("BEGIN");
        const before = await value(other!, look);
        await one!.query(set);
        return { before, after: await value(other!, look) };
      } finally {
        for (const client of [busy, one, other]) await client!.end();
        if (which === "fast") docker("exec", poolOf("fast"), "pool-console", "RECONNECT");
      }
    }

    test.each(kinds)("$name", async (kind) => {
      const { before, after } = await seenByAnother("careful", kind);
      expect(after).toEqual(before);
    });

    // Or the tests above could not fail.
    test.each(kinds.filter(({ kept }) => kept !== true))(
      "with resetSessions: false it does: $name",
      async (kind) => {
        const { before, after } = await seenByAnother("fast", kind);
        expect(after).not.toEqual(before);
      },
    );

    test("prepared statements of the protocol stay", async () => {
      const busy = await open("dpg_cluster");
      const clients = [await open("dpg_cluster"), await open("dpg_cluster")];
      await busy.query("BEGIN");
      for (const round of [1, 2, 3]) {
        for (const client of clients) {
          const { rows } = await client.query({
            name: "twice",
            text: "SELECT $1::int * 2 AS v",
            values: [round],
          });
          expect(rows).toEqual([{ v: 2 * round }]);
        }
      }
      const look =
        "SELECT generic_plans + custom_plans AS v FROM pg_prepared_statements WHERE statement LIKE '%* 2 AS v'";
      expect(Number(await value(clients[0]!, look))).toBe(6);
      for (const client of [busy, ...clients]) await client.end();
    });
  });

  describe("what an application says on the pools' own channel (S2)", () => {
    test("changes nothing, whatever its role; what the superuser says there holds the clients", async () => {
      for (const role of ["app_readonly", "app_readwrite", "dpg_cluster"]) {
        const client = await open(role);
        for (const text of ["hold stop", "hold nonsense", "release stop"])
          await client.query("SELECT pg_notify('pool_control', $1)", [text]);
        // It is a session of that name that a leader waits for.
        await client.query("SET application_name = 'pool-follower paused'");
        await client.query("SELECT 1");
        await client.end();
      }
      expect(await query(as("app_readonly"), "SELECT 1 AS one", [], 1)).toEqual([{ one: 1 }]);
      expect(poolLog("careful")).not.toContain("holds:");

      const script =
        "import sys, json; sys.path.insert(0, '/usr/local/bin'); import pools; print(json.dumps([pools.hold('trial'), pools.release('trial')]))";
      // A courtesy gives up soon on a busy machine.
      await eventually("both pools hold", 60_000, async () => {
        const printed = await dockerMeanwhile("exec", member, "/usr/bin/python3", "-c", script);
        if (!printed.startsWith('["2 of 2 paused')) throw new Error(printed);
      });
      expect(poolLog("careful")).toMatch(/pausing: requested by .*: trial[^]*resuming on/);
      expect(await query(as("app_readonly"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });
  });

  test("those whose COPY has failed half-way do not keep the pool from others (S3)", async () => {
    await query(as("dpg_cluster"), "CREATE TABLE copied (id int PRIMARY KEY, pad text)");
    const printed = await python(`
class Rows:
    def __init__(self): self.read_calls = 0
    def read(self, size=-1):
        self.read_calls += 1
        if self.read_calls == 1: return "1\\tx\\n1\\tx\\n"
        time.sleep(0.01)
        return "".join(f"{self.read_calls * 1000 + i}\\t{'y' * 200}\\n" for i in range(100)) if self.read_calls < 60 else ""
class Slowly(Rows):
    def read(self, size=-1):
        self.read_calls += 1
        time.sleep(1)
        return f"{self.read_calls + 100}\\tslow\\n" if self.read_calls < 8 else ""
def copy(client, rows):
    try:
        with client.cursor() as cursor: cursor.copy_expert("COPY copied FROM STDIN", rows)
        return "done"
    except psycopg2.Error as error: return error.pgcode
slow = con("dpg_cluster")
slowly = []
thread = threading.Thread(target=lambda: slowly.append(copy(slow, Slowly())))
thread.start()
clients = [con("dpg_cluster") for _ in range(${POOL_SIZE * 2})]
codes = {copy(client, Rows()) for client in clients}
began = time.time()
print(*codes, ask(con("dpg_cluster"), "SELECT 1")[0][0], time.time() - began < 20)
thread.join()
print(*slowly, ask(con("dpg_cluster"), "SELECT count(*) FROM copied WHERE pad = 'slow'")[0][0])`);
    // Whoever is slow is not cut off for it.
    expect(printed).toBe("23505 1 True\ndone 7");
    expect(poolLog("careful")).toContain("keeps a server without using it while others wait");
  });

  test("those whose start-up values are refused break no session of others (S4)", async () => {
    const printed = await python(`
healthy = [con("app_readwrite") for _ in range(10)]
over = threading.Event()
errors, answers, refused = [], [0], {}
def work(client):
    while not over.is_set():
        try:
            ask(client, "SELECT 1")
            answers[0] += 1
        except psycopg2.Error as error:
            errors.append(str(error).strip())
            return
        time.sleep(0.3)
def intrude(**values):
    while not over.is_set():
        try: ask(con("app_readwrite", **values), "SELECT 1")
        except psycopg2.Error as error: refused[str(values)] = refused.get(str(values), 0) + 1
threads = [threading.Thread(target=work, args=(client,)) for client in healthy]
threads += [threading.Thread(target=intrude, kwargs=values) for values in
            ({"replication": "database"}, {"replication": "true"}, {"options": "-c TimeZone=Mars/Olympus"}, {"options": "-c DateStyle=none"})]
for thread in threads: thread.start()
time.sleep(8)
over.set()
for thread in threads: thread.join()
print(errors, answers[0] >= 50, sorted(count >= 3 for count in refused.values()))`);
    expect(printed).toBe("[] True [True, True, True, True]");
  });

  describe("after a change of roles and rights (S5)", () => {
    const common = () => {
      const { password, ...target } = pooled.trial.target;
      return { target, password, deadlineSeconds: 60, providerVersion: 1 };
    };
    const role = {
      ...{ login: true, connectionLimit: -1, createDatabase: false, createRole: false },
      ...{ name: "app_readonly", memberOf: [] as string[] },
    };

    test("a role's new settings are those of the sessions that are there, and nobody is cut off", async () => {
      const client = await open("app_readonly");
      const busy = await open("app_readonly");
      await busy.query("BEGIN");
      await client.query("SELECT 1");
      const { provider } = served(rolesProvider);
      const inputs = { ...common(), passwords: {}, onRemoval: "disable-login" as const };
      const before = { ...inputs, roles: [{ ...role, settings: {} }], drift: [] };
      await provider.update("roles", before, {
        ...inputs,
        roles: [{ ...role, settings: { work_mem: "5MB" } }],
      });
      await eventually("the new setting", 30_000, async () => {
        const { rows } = await client.query("SELECT current_setting('work_mem') AS v");
        if (JSON.stringify(rows) !== '[{"v":"5MB"}]') throw new Error(JSON.stringify(rows));
      });
      // A transaction ends on the connection that it began on.
      expect((await busy.query("SELECT current_setting('work_mem') <> '5MB' AS v")).rows).toEqual([
        { v: true },
      ]);
      await busy.query("COMMIT");
      for (const each of [client, busy]) await each.end();
    });

    test("whoever may no longer connect is refused within seconds, over connections that there were, too", async () => {
      const client = await open("app_readonly");
      await client.query("SELECT 1");
      const { provider } = served(databaseProvider);
      const spec = { ...common(), name: "app", owner: "dpg_cluster", extensions: [], connect: ["pool_auth"] };
      const access = { readWrite: ["app_readwrite"], readOnly: ["app_readonly"] };
      await provider.update(
        "app",
        { ...spec, access, drift: [] },
        { ...spec, access: { ...access, readOnly: [] } },
      );
      await expect(
        eventually("refused", 30_000, async () => {
          const answer = await client.query("SELECT 1").then(
            () => "answered",
            (error: unknown) => String(error),
          );
          if (answer === "answered") throw new Error(answer);
          return answer;
        }),
      ).resolves.toMatch(/permission denied for database|terminated/);
      await client.end().catch(() => undefined);
      expect(await query(as("app_readwrite"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });
  });
});
