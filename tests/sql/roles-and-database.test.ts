import { POOLS } from "../../components/pools-guest";
import { databaseProvider } from "../../components/resources/sql/database/provider";
import type { DatabaseInputs, DatabaseOutputs } from "../../components/resources/sql/database/provider";
import { rolesProvider } from "../../components/resources/sql/roles/provider";
import type { RolesInputs, RolesOutputs } from "../../components/resources/sql/roles/provider";
import type { Role } from "../../components/resources/sql/roles/plan";
import { withSession } from "../../components/resources/sql/session";
import { docker } from "../support/docker";
import { describeWithDocker, startPostgres } from "../support/postgres";
import type { PostgresServer } from "../support/postgres";
import { served } from "../support/served";

const role = (name: string, change: Partial<Role> = {}): Role => ({
  name,
  login: true,
  connectionLimit: -1,
  createDatabase: false,
  createRole: false,
  memberOf: [],
  settings: {},
  ...change,
});

const PASSWORDS = {
  dpg_cluster: "owner-secret-Xq7",
  app_readwrite: "rw-secret-Xq7",
  app_readonly: "ro-secret-Xq7",
  pool_auth: "pool-secret-Xq7",
};

jest.setTimeout(240_000);

describeWithDocker("roles and a database on a real PostgreSQL 17", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(`prov-sql-${process.pid}`);
    // As in the cluster: slow statements are logged, statements are counted.
    server.restart(
      "shared_preload_libraries=pg_stat_statements",
      "log_min_duration_statement=0",
      "log_statement=all",
    );
  });
  afterAll(() => server.remove());

  const target = () => {
    const { members, user, database: name, ca } = server.target;
    return { members, user, database: name, ca };
  };
  const rolesInputs = (change: Partial<RolesInputs> = {}): RolesInputs => ({
    target: target(),
    password: server.target.password,
    roles: [
      role("dpg_cluster"),
      role("app_readwrite", { connectionLimit: 50, settings: { statement_timeout: "30s" } }),
      role("app_readonly"),
      role("pool_auth"),
    ],
    passwords: PASSWORDS,
    onRemoval: "disable-login",
    deadlineSeconds: 20,
    providerVersion: 1,
    ...change,
  });
  const databaseInputs = (change: Partial<DatabaseInputs> = {}): DatabaseInputs => ({
    target: target(),
    password: server.target.password,
    name: "app",
    owner: "dpg_cluster",
    extensions: ["pg_stat_statements"],
    access: { readWrite: ["app_readwrite"], readOnly: ["app_readonly"] },
    ...{ connect: ["pool_auth"], functions: POOLS.functions },
    deadlineSeconds: 20,
    providerVersion: 1,
    ...change,
  });
  const as = <T extends object>(user: keyof typeof PASSWORDS, text: string, database = "app") =>
    withSession(
      { ...server.target, user, password: PASSWORDS[user], database },
      (session) => session.query<T>(text),
      {
        deadlineSeconds: 5,
      },
    );
  const asSuperuser = <T extends object>(text: string, database = "app") =>
    withSession({ ...server.target, database }, (session) => session.query<T>(text), { deadlineSeconds: 5 });
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "no error",
      (error: unknown) => (error as { code?: string }).code ?? String(error),
    );

  let roles: RolesOutputs;
  let database: DatabaseOutputs;

  it("makes the roles with passwords that log in", async () => {
    const { provider } = served(rolesProvider);
    const made = await provider.create(rolesInputs());
    roles = made.outs as RolesOutputs;
    expect(made.id).toBe("roles");
    await expect(as("app_readwrite", "SELECT 1 AS one", "postgres")).resolves.toEqual([{ one: 1 }]);
    expect(
      await asSuperuser("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'app_readwrite'", "postgres"),
    ).toEqual([{ rolconnlimit: 50 }]);
  });

  it("gives a session the settings of its role", () => {
    // A session of ours sets a timeout itself.
    const client = ["psql", "--host", "127.0.0.1", "--username", "app_readwrite", "--dbname", "postgres"];
    const password = `PGPASSWORD=${PASSWORDS.app_readwrite}`;
    expect(
      docker("exec", "--env", password, server.container, ...client, "-XAtc", "SHOW statement_timeout"),
    ).toBe("30s");
  });

  it("refuses a wrong password at once", async () => {
    const started = Date.now();
    const wrong = withSession(
      { ...server.target, user: "app_readonly", password: "wrong" },
      (session) => session.query("SELECT 1"),
      { deadlineSeconds: 30 },
    );
    expect(await code(wrong)).toBe("28P01");
    expect(Date.now() - started).toBeLessThan(5000);
  });

  it("changes nothing the second time", async () => {
    const { provider, printed } = served(rolesProvider);
    expect(await provider.diff("roles", roles, rolesInputs())).toEqual({ changes: false, replaces: [] });
    const before = await asSuperuser("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1", "postgres");
    await provider.update("roles", roles, rolesInputs());
    expect(await asSuperuser("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1", "postgres")).toEqual(
      before,
    );
    expect(printed).toEqual([]);
  });

  it("makes the database with its rights, and changes nothing the second time", async () => {
    const { provider, printed } = served(databaseProvider);
    database = (await provider.create(databaseInputs())).outs as DatabaseOutputs;
    expect(printed).toContain("create database app, owned by dpg_cluster");
    printed.length = 0;
    await provider.update("app", database, databaseInputs());
    expect(printed).toEqual([]);
    expect(await provider.diff("app", database, databaseInputs())).toEqual({ changes: false, replaces: [] });
    expect(await provider.read("app", database)).toEqual({ id: "app", props: database });
  });

  it("lets the roles do what they are for, with objects of today and of tomorrow, in any schema of the owner", async () => {
    await as("dpg_cluster", "CREATE TABLE item (id bigserial PRIMARY KEY, name text)");
    await as("dpg_cluster", "CREATE SCHEMA sales");
    await as("dpg_cluster", "CREATE TABLE sales.invoice (id int GENERATED ALWAYS AS IDENTITY, sum numeric)");
    await as(
      "dpg_cluster",
      "CREATE FUNCTION sales.total() RETURNS numeric LANGUAGE sql AS 'SELECT sum(sum) FROM sales.invoice'",
    );
    for (const table of ["item (name)", "sales.invoice (sum)"]) {
      expect(await code(as("app_readwrite", `INSERT INTO ${table} VALUES (1) RETURNING *`))).toBe("no error");
      expect(await code(as("app_readonly", `INSERT INTO ${table} VALUES (1)`))).toBe("42501");
    }
    expect(await as("app_readwrite", "SELECT sales.total()")).toEqual([{ total: "1" }]);
    expect(await as("app_readonly", "SELECT name FROM item")).toEqual([{ name: "1" }]);
    for (const user of ["app_readwrite", "app_readonly"] as const) {
      for (const ddl of [
        "CREATE TABLE x ()",
        "CREATE SCHEMA y",
        "DROP TABLE item",
        "TRUNCATE item",
        "CREATE TEMP TABLE z ()",
      ]) {
        expect([user, ddl, await code(as(user, ddl))]).toEqual([user, ddl, "42501"]);
      }
    }
  });

  it("grants on objects that were there before a role was let in, and takes it away again", async () => {
    const { provider, printed } = served(databaseProvider);
    const { provider: rolesLoaded } = served(rolesProvider);
    const moreRoles = rolesInputs({
      roles: [...rolesInputs().roles, role("report")],
      passwords: { ...PASSWORDS, report: "report-secret-Xq7" },
    });
    roles = (await rolesLoaded.update("roles", roles, moreRoles)).outs as RolesOutputs;
    const reports = databaseInputs({
      access: { readWrite: ["app_readwrite"], readOnly: ["app_readonly", "report"] },
    });
    const more = (await provider.update("app", database, reports)).outs as DatabaseOutputs;
    const asReport = (text: string) =>
      withSession(
        { ...server.target, user: "report", password: "report-secret-Xq7", database: "app" },
        (session) => session.query(text),
        { deadlineSeconds: 5 },
      );
    expect(await code(asReport("SELECT * FROM item, sales.invoice"))).toBe("no error");
    printed.length = 0;
    database = (await provider.update("app", more, databaseInputs())).outs as DatabaseOutputs;
    expect(await code(asReport("SELECT * FROM item"))).toBe("42501"); // no CONNECT
    expect(printed.filter((line) => line.includes("revoke")).length).toBeGreaterThan(0);
    expect(await asSuperuser("SELECT has_table_privilege('report', 'item', 'SELECT') AS may")).toEqual([
      { may: false },
    ]);
  });

  it("keeps everybody else out of the database", async () => {
    await asSuperuser("CREATE ROLE stranger LOGIN", "postgres");
    const rows = await asSuperuser<{ may: boolean }>(
      "SELECT has_database_privilege('stranger', 'app', 'CONNECT') AS may",
    );
    expect(rows).toEqual([{ may: false }]);
  });

  it("lets only the pool's role look up verifiers, of applications only", async () => {
    const lookup = (name: string) =>
      as<{ usename: string; passwd: string }>("pool_auth", `SELECT * FROM pool.lookup('${name}')`);
    const [row] = await lookup("app_readwrite");
    expect(row!.usename).toBe("app_readwrite");
    expect(row!.passwd).toMatch(/^SCRAM-SHA-256\$4096:/);
    expect(await lookup("postgres")).toEqual([]);
    expect(await lookup("nobody")).toEqual([]);
    await asSuperuser("CREATE ROLE copier LOGIN REPLICATION PASSWORD 'x'", "postgres");
    expect(await lookup("copier")).toEqual([]);
    await asSuperuser("CREATE ROLE late LOGIN PASSWORD 'x' VALID UNTIL '2020-01-01'", "postgres");
    expect(await lookup("late")).toEqual([]);
    expect(await code(as("app_readwrite", "SELECT * FROM pool.lookup('app_readonly')"))).toBe("42501");
    expect(await code(as("dpg_cluster", "SELECT * FROM pool.lookup('app_readonly')"))).toBe("42501");
    expect(await code(as("pool_auth", "SELECT * FROM pg_authid"))).toBe("42501");
    expect(await code(as("pool_auth", "SELECT * FROM item"))).toBe("42501");
  });

  it("is not fooled by a search path of the caller", async () => {
    const rows = await withSession(
      { ...server.target, user: "pool_auth", password: PASSWORDS.pool_auth, database: "app" },
      async (session) => {
        await session.query("SET search_path = pg_temp, public");
        return session.query("SELECT usename FROM pool.lookup('postgres')");
      },
    );
    expect(rows).toEqual([]);
  });

  it("notices by refresh what was changed by hand, and mends it", async () => {
    const { provider } = served(databaseProvider);
    await asSuperuser("REVOKE SELECT ON item FROM app_readonly");
    await asSuperuser("GRANT EXECUTE ON FUNCTION pool.lookup(text) TO PUBLIC");
    const read = await provider.read("app", database);
    expect((read.props as DatabaseOutputs).drift).toEqual([
      "grant SELECT on 1 table(s): app_readonly",
      "create function pool.lookup for pool_auth",
    ]);
    expect(await provider.diff("app", read.props as DatabaseOutputs, databaseInputs())).toEqual({
      changes: true,
      replaces: [],
    });
    database = (await provider.update("app", read.props as DatabaseOutputs, databaseInputs()))
      .outs as DatabaseOutputs;
    expect(((await provider.read("app", database)).props as DatabaseOutputs).drift).toEqual([]);

    const loaded = served(rolesProvider).provider;
    await asSuperuser("ALTER ROLE app_readonly SUPERUSER PASSWORD 'stolen'", "postgres");
    const seen = (await loaded.read("roles", roles)).props as RolesOutputs;
    expect(seen.drift).toEqual(["alter role app_readonly", "set the password of app_readonly"]);
    await loaded.update("roles", seen, rolesInputs());
    expect(await as("app_readonly", "SHOW is_superuser")).toEqual([{ is_superuser: "off" }]);
  });

  it("sets a changed password", async () => {
    const { provider, printed } = served(rolesProvider);
    const changed = rolesInputs({ passwords: { ...PASSWORDS, app_readonly: "new-secret-Xq7" } });
    expect(await provider.diff("roles", roles, changed)).toEqual({ changes: true, replaces: [] });
    printed.length = 0;
    await provider.update("roles", roles, changed);
    expect(printed).toEqual(["set the password of app_readonly"]);
    expect(await code(as("app_readonly", "SELECT 1"))).toBe("28P01");
    await provider.update("roles", roles, rolesInputs());
    expect(await code(as("app_readonly", "SELECT 1"))).toBe("no error");
  });

  it("drops no role that owns something, and no data with the resource", async () => {
    const { provider } = served(rolesProvider);
    const fewer = rolesInputs({ roles: rolesInputs().roles.slice(1), onRemoval: "drop" });
    await provider.update("roles", { ...rolesInputs(), drift: [] }, fewer);
    expect(await asSuperuser("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'dpg_cluster'")).toEqual([
      { rolcanlogin: false },
    ]);
    await provider.delete("roles", roles);
    await served(databaseProvider).provider.delete("app", database);
    expect(await asSuperuser("SELECT count(*)::int AS n FROM item")).toEqual([{ n: 1 }]);
  });

  it("leaves no password and no verifier in the server's log or statistics", async () => {
    const [stored] = await asSuperuser<{ verifier: string }>(
      "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'app_readwrite'",
    );
    const log = server.log();
    expect(log).toContain("CREATE DATABASE");
    expect(log).not.toContain("-secret-Xq7");
    expect(log).not.toContain(stored!.verifier);
    const rows = await asSuperuser(
      "SELECT query FROM pg_stat_statements WHERE query ILIKE '%SCRAM-SHA-256$4%'",
    );
    expect(rows).toEqual([]);
  });

  it("says that a database or roles are gone when the server is a new one, and not when it cannot ask", async () => {
    const loadedDatabase = served(databaseProvider).provider;
    const loadedRoles = served(rolesProvider).provider;
    expect(await loadedDatabase.read("other", { ...database, name: "other" })).toEqual({});
    expect(await loadedRoles.read("roles", { ...roles, roles: [role("never_made")], passwords: {} })).toEqual(
      {},
    );
    const unreachable = {
      ...target(),
      members: [
        {
          name: "only",
          serverName: "postgres.test",
          reach: { via: "tcp" as const, host: "127.0.0.1", port: 1 },
        },
      ],
    };
    const { id, props } = await loadedDatabase.read("app", { ...database, target: unreachable });
    expect(id).toBe("app");
    expect(props?.drift).toEqual([
      "could not be read: the primary accepts a session: timed out after 15 s. Last seen: only: connect ECONNREFUSED 127.0.0.1:1",
    ]);
  });

  it("verifies the server's certificate", async () => {
    const member = server.target.members[0]!;
    const wrongName = { ...server.target, members: [{ ...member, serverName: "another.test" }] };
    await expect(withSession(wrongName, () => Promise.resolve(), { deadlineSeconds: 1 })).rejects.toThrow(
      /Hostname\/IP does not match/,
    );
  });
});
