import {
  followerJson,
  pgbouncerIni,
  userlist,
  type PgbouncerInput,
} from "../../../../config-files/pgbouncer/pgbouncer";
import {
  PGBOUNCER_MANDATORY,
  pgbouncerDefaults,
  pgbouncerProblems,
  pgbouncerSizes,
} from "../../../../config-files/pgbouncer/settings";
import { expectGolden } from "../../../support/golden";

const replicas = (workload: string, count: number, domain = "") =>
  Array.from({ length: count }, (_, ordinal) => {
    const name = `pg-dev-${workload}-${ordinal}`;
    return { name, address: name + domain };
  });

const writes: PgbouncerInput = {
  mode: "primary",
  port: 6432,
  lookup: { user: "pool_auth", database: "app" },
  replicas: replicas("pool-write", 2),
  resetSessions: true,
  sizes: { maxClients: 2000, poolSize: 20, perDatabase: 40, queryWaitSeconds: 30 },
};

test("a pool for writes", () => {
  expectGolden("config-files/pgbouncer/writes.ini", pgbouncerIni(writes));
});

test("a pool for reads on Kubernetes, with sizes and a user for statistics", () => {
  const ini = pgbouncerIni({
    mode: "replica",
    port: 6432,
    lookup: { user: "pool_auth", database: "postgres" },
    replicas: replicas("pool-read", 3, ".pg-dev-pool-read.databases.svc.cluster.local"),
    statisticsUsers: ["pool_stats"],
    resetSessions: true,
    sizes: { maxClients: 500, poolSize: 8, perDatabase: 16, queryWaitSeconds: 30 },
    settings: { idle_transaction_timeout: 60 },
  });
  expectGolden("config-files/pgbouncer/reads.ini", ini);
});

test("what the follower reads", () => {
  const text = followerJson({
    mode: "primary",
    members: replicas("patroni", 3),
    patroniPort: 8008,
    postgresPort: 5432,
    agentPort: 6434,
    lookup: { user: "pool_auth", database: "app" },
    maximumReplicaLagBytes: 16 * 1024 * 1024,
  });
  expectGolden("config-files/pgbouncer/follower.json", text);
});

test("the list of users quotes what PgBouncer would end a word at", () => {
  expect(userlist([{ name: "pool_auth", password: 'a"b' }])).toBe('"pool_auth" "a""b"\n');
  expect(() => userlist([{ name: "pool_auth", password: "a\nb" }])).toThrow("single line");
});

describe("settings", () => {
  test("the defaults and the mandatory ones do not overlap", () => {
    const both = [pgbouncerDefaults("primary"), pgbouncerSizes(writes.sizes)]
      .flatMap((settings) => Object.keys(settings))
      .filter((name) => name in PGBOUNCER_MANDATORY);
    expect(both).toEqual([]);
  });

  test.each([
    [
      "pool_mode",
      "session",
      'pool_mode: "session" is not allowed: it must be "transaction", because the pools rely on it; remove it',
    ],
    [
      "client_tls_sslmode",
      "allow",
      'client_tls_sslmode: "allow" is not allowed: it must be "require", because the pools rely on it; remove it',
    ],
    [
      "admin_users",
      "app",
      'admin_users: "app" is not allowed: it must be "", because the pools rely on it; remove it',
    ],
    ["peer_id", 7, "peer_id: cannot be set here, because it is the ordinal of the replica; remove it"],
    [
      "default_pool_size",
      7,
      "default_pool_size: cannot be set here, because it is the input `sizes.poolSize`; remove it",
    ],
    ["min_pool_size", -1, "min_pool_size: -1 must be a number from 0 to 1000000"],
    ["min_pool_size", "many", 'min_pool_size: "many" must be a number from 0 to 1000000'],
  ])("%s = %s is refused", (name, value, problem) => {
    expect(pgbouncerProblems("primary", { [name]: value })).toEqual([problem]);
    expect(() => pgbouncerIni({ ...writes, settings: { [name]: value } })).toThrow(problem);
  });

  test("an unknown one is refused, with those that there are", () => {
    expect(pgbouncerProblems("primary", { pool_sice: 3 })[0]).toMatch(
      /^pool_sice: unknown setting; use one of min_pool_size, /,
    );
  });

  test("all problems are reported at once", () => {
    expect(pgbouncerProblems("primary", { pool_mode: "session", nonsense: 1 })).toHaveLength(2);
  });
});

describe("what clients leave in their sessions", () => {
  test("is undone after each transaction, and never by what would drop prepared statements", () => {
    const text = pgbouncerIni(writes);
    expect(text).toMatch(/^server_reset_query_always = 1$/m);
    expect(text).toMatch(
      /^server_reset_query = SET statement_timeout = 0; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; /m,
    );
    expect(text).not.toMatch(/DISCARD ALL|DEALLOCATE/);
  });

  test("stays by a setting", () => {
    const text = pgbouncerIni({ ...writes, resetSessions: false });
    expect(text).toMatch(/^server_reset_query_always = 0$/m);
    expect(text).toMatch(/^server_reset_query =$/m);
  });
});

// CVE-2026-107350 and its like: whoever knows the password of a user of auth_file is nearer to the console. Only the pool itself has one there.
test("nobody is let in from auth_file as an administrator", () => {
  expect(pgbouncerIni(writes)).toMatch(/^admin_users =$/m);
});

test("a connection has the rights of five minutes ago at most", () => {
  expect(pgbouncerIni(writes)).toMatch(/^server_lifetime = 300$/m);
  expect(pgbouncerProblems("primary", { server_lifetime: 301 })).toEqual([
    "server_lifetime: 301 must be a number from 0 to 300",
  ]);
});
