import { POOLS } from "../../../../../components/pools-guest";
import { checkDatabase } from "../../../../../components/resources/sql/database/check";
import type {
  DatabaseSpec,
  DatabaseState,
  ServerState,
} from "../../../../../components/resources/sql/database/plan";
import { planDatabase, planServer } from "../../../../../components/resources/sql/database/plan";
import {
  databaseStatements,
  makeFunctionStatements,
  serverStatement,
} from "../../../../../components/resources/sql/database/statements";

const spec: DatabaseSpec = {
  name: "app",
  owner: "own",
  extensions: ["pg_stat_statements"],
  access: { readWrite: ["rw"], readOnly: ["ro"] },
  ...{ connect: ["pool_auth"], functions: POOLS.functions },
};
const settledServer: ServerState = {
  database: { owner: "own", connect: ["pool_auth", "ro", "rw"], publicTemporary: false },
};
const DML = { SELECT: ["rw", "ro"], INSERT: ["rw"], UPDATE: ["rw"], DELETE: ["rw"] };
const settled: DatabaseState = {
  extensions: ["pg_stat_statements", "plpgsql"],
  publicCreates: false,
  objects: [
    { kind: "schema", identity: "public", holders: { USAGE: ["rw", "ro"] } },
    { kind: "table", identity: "public.item", holders: DML },
    {
      kind: "sequence",
      identity: "public.item_id_seq",
      holders: { USAGE: ["rw"], SELECT: ["rw", "ro"], UPDATE: ["rw"] },
    },
    { kind: "routine", identity: "public.f(a integer)", holders: { EXECUTE: ["rw"] } },
  ],
  defaults: {
    schema: { USAGE: ["rw", "ro"] },
    table: DML,
    sequence: { USAGE: ["rw"], SELECT: ["rw", "ro"], UPDATE: ["rw"] },
    routine: { EXECUTE: ["rw"] },
  },
  functions: ["pool.lookup"],
};
const server = (...args: Parameters<typeof planServer>) => planServer(...args).map(serverStatement);
const inside = (...args: Parameters<typeof planDatabase>) =>
  planDatabase(...args).flatMap((step) => databaseStatements(step));

describe("planServer", () => {
  it("makes the database for its owner and lets in only who is named", () => {
    expect(server({}, spec)).toEqual([
      'CREATE DATABASE "app" OWNER "own"',
      'REVOKE ALL ON DATABASE "app" FROM PUBLIC',
      'GRANT CONNECT ON DATABASE "app" TO "rw"',
      'GRANT CONNECT ON DATABASE "app" TO "ro"',
      'GRANT CONNECT ON DATABASE "app" TO "pool_auth"',
    ]);
  });

  it("does nothing when all is as declared", () => {
    expect(server(settledServer, spec, spec)).toEqual([]);
  });

  it("mends the owner and what is open to everybody", () => {
    const open = {
      database: { owner: "postgres", connect: ["", "pool_auth", "ro", "rw"], publicTemporary: false },
    };
    expect(server(open, spec)).toEqual([
      'ALTER DATABASE "app" OWNER TO "own"',
      'REVOKE ALL ON DATABASE "app" FROM PUBLIC',
    ]);
  });

  it("shuts out a role that is no longer named, and not one that somebody else let in", () => {
    const more = {
      database: { ...settledServer.database!, connect: ["pool_auth", "ro", "rw", "old", "theirs"] },
    };
    const before = { ...spec, access: { ...spec.access, readOnly: ["ro", "old"] } };
    expect(server(more, spec, before)).toEqual(['REVOKE CONNECT ON DATABASE "app" FROM "old"']);
  });
});

describe("planDatabase", () => {
  it("does nothing when all is as declared", () => {
    expect(inside(settled, spec, spec)).toEqual([]);
  });

  it("prepares a fresh database", () => {
    const none = { schema: {}, table: {}, sequence: {}, routine: {} };
    const fresh: DatabaseState = {
      ...{ extensions: ["plpgsql"], publicCreates: true, defaults: none, functions: [] },
      objects: [{ kind: "schema", identity: "public", holders: {} }],
    };
    const later = 'ALTER DEFAULT PRIVILEGES FOR ROLE "own" GRANT';
    expect(inside(fresh, { ...spec, functions: [] })).toEqual([
      'CREATE EXTENSION IF NOT EXISTS "pg_stat_statements" CASCADE',
      "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
      'GRANT USAGE ON SCHEMA public TO "rw"',
      `${later} USAGE ON SCHEMAS TO "rw"`,
      `${later} SELECT, INSERT, UPDATE, DELETE ON TABLES TO "rw"`,
      `${later} USAGE, SELECT, UPDATE ON SEQUENCES TO "rw"`,
      `${later} EXECUTE ON ROUTINES TO "rw"`,
      'GRANT USAGE ON SCHEMA public TO "ro"',
      `${later} USAGE ON SCHEMAS TO "ro"`,
      `${later} SELECT ON TABLES TO "ro"`,
      `${later} SELECT ON SEQUENCES TO "ro"`,
    ]);
  });

  it("grants to a new role on what is there, and takes it away from one that is no longer named", () => {
    const more = { ...spec, access: { readWrite: ["rw"], readOnly: ["ro", "report"] } };
    expect(inside(settled, more, spec).filter((text) => !text.startsWith("ALTER"))).toEqual([
      'GRANT USAGE ON SCHEMA public TO "report"',
      'GRANT SELECT ON TABLE public.item TO "report"',
      'GRANT SELECT ON SEQUENCE public.item_id_seq TO "report"',
    ]);
    const less = { ...spec, access: { readWrite: ["rw"], readOnly: [] } };
    expect(inside(settled, less, spec)).toEqual([
      'REVOKE USAGE ON SCHEMA public FROM "ro"',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "own" REVOKE USAGE ON SCHEMAS FROM "ro"',
      'REVOKE SELECT ON TABLE public.item FROM "ro"',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "own" REVOKE SELECT ON TABLES FROM "ro"',
      'REVOKE SELECT ON SEQUENCE public.item_id_seq FROM "ro"',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "own" REVOKE SELECT ON SEQUENCES FROM "ro"',
    ]);
  });

  it("keeps reading when a role goes from readWrite to readOnly", () => {
    const lower = { ...spec, access: { readWrite: [], readOnly: ["ro", "rw"] } };
    expect(inside(settled, lower, spec).filter((text) => text.includes("item "))).toEqual([
      'REVOKE INSERT, UPDATE, DELETE ON TABLE public.item FROM "rw"',
    ]);
  });

  it("makes a function again when it is not exactly as declared, and a state from before functions has none", () => {
    const [lookup] = POOLS.functions!;
    expect(inside({ ...settled, functions: [] }, spec)).toEqual(makeFunctionStatements(lookup!));
    expect(inside({ ...settled, functions: [] }, { ...spec, functions: undefined })).toEqual([]);
  });
});

describe("the lookup function", () => {
  it("is one fixed query with a fixed search path, for the pool's role only", () => {
    expect(makeFunctionStatements(POOLS.functions![0]!)).toEqual([
      'CREATE SCHEMA IF NOT EXISTS "pool"',
      'ALTER SCHEMA "pool" OWNER TO CURRENT_USER',
      'REVOKE ALL ON SCHEMA "pool" FROM PUBLIC',
      'GRANT USAGE ON SCHEMA "pool" TO "pool_auth"',
      'DROP FUNCTION IF EXISTS "pool"."lookup"(name text)',
      `CREATE FUNCTION "pool"."lookup"(name text) RETURNS TABLE (usename name, passwd text)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
SELECT r.rolname, r.rolpassword
FROM pg_catalog.pg_authid r
WHERE r.rolname = $1 AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolreplication AND NOT r.rolbypassrls
  AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())
$body$`,
      'REVOKE ALL ON FUNCTION "pool"."lookup"(name text) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION "pool"."lookup"(name text) TO "pool_auth"',
    ]);
  });
});

describe("checkDatabase", () => {
  it("reports everything at once and skips unknown values", () => {
    const bad = { ...spec, name: "postgres", access: { readWrite: ["own", "x"], readOnly: ["x"] } };
    expect(checkDatabase(bad)).toEqual([
      { property: "name", reason: `"postgres" is one of PostgreSQL's own databases: choose another name` },
      {
        property: "access",
        reason: `"own" is named twice among owner, readWrite and readOnly: it must be one of them`,
      },
      {
        property: "access",
        reason: `"x" is named twice among owner, readWrite and readOnly: it must be one of them`,
      },
    ]);
    const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9" as never;
    expect(checkDatabase({ ...spec, name: UNKNOWN, owner: UNKNOWN, access: UNKNOWN })).toEqual([]);
  });
});
