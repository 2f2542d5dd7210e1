import { checkPasswords, checkRoles } from "../../../../../components/resources/sql/roles/check";
import type { Role, RoleState } from "../../../../../components/resources/sql/roles/plan";
import {
  describeRoleStep,
  planRoles,
  planSettings,
} from "../../../../../components/resources/sql/roles/plan";
import { readRolesStatement, roleStatement } from "../../../../../components/resources/sql/roles/statements";

const role = (name: string, change: Partial<Role> = {}): Role => ({
  ...{
    name,
    login: true,
    connectionLimit: -1,
    createDatabase: false,
    createRole: false,
    memberOf: [],
    settings: {},
  },
  ...change,
});
const state = (of: Role, change: Partial<RoleState> = {}): RoleState => ({
  ...of,
  ...{ superuser: false, replication: false, bypassRowSecurity: false, passwordRight: true },
  ...change,
});
const statements = (...args: Parameters<typeof planRoles>) =>
  planRoles(...args).map((step) => roleStatement(step, () => "SCRAM-V"));

describe("planSettings", () => {
  it("sets what a role that is not declared lacks, and nothing of one that does not exist", () => {
    const is = state(role("postgres", { settings: { lock_timeout: "0", statement_timeout: "1ms" } }));
    const wanted = { lock_timeout: "0", statement_timeout: "0" };
    const steps = planSettings({ postgres: is }, { postgres: wanted, nobody: wanted });
    expect(steps.map((step) => roleStatement(step, () => ""))).toEqual([
      `ALTER ROLE "postgres" SET "statement_timeout" TO '0'`,
    ]);
  });
});

describe("planRoles", () => {
  it("makes a role with its password, memberships and settings", () => {
    const wanted = role("app", { memberOf: ["readers"], settings: { statement_timeout: "30s" } });
    expect(statements({}, [wanted], ["app"], [], "disable-login")).toEqual([
      'CREATE ROLE "app" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1',
      `ALTER ROLE "app" PASSWORD 'SCRAM-V'`,
      'GRANT "readers" TO "app"',
      `ALTER ROLE "app" SET "statement_timeout" TO '30s'`,
    ]);
  });

  it("makes every role before any membership", () => {
    const steps = planRoles({}, [role("a", { memberOf: ["b"] }), role("b")], [], [], "disable-login");
    expect(steps.map(describeRoleStep)).toEqual([
      "create role a",
      "create role b",
      "grant membership in b to a",
    ]);
  });

  it("does nothing when all is as declared", () => {
    const wanted = role("app", { memberOf: ["readers"], settings: { work_mem: "8MB" } });
    expect(planRoles({ app: state(wanted) }, [wanted], ["app"], [wanted], "drop")).toEqual([]);
  });

  it("takes rights away that nobody declared", () => {
    for (const right of ["superuser", "replication", "bypassRowSecurity", "createRole"] as const) {
      const is = state(role("app"), { [right]: true });
      expect(planRoles({ app: is }, [role("app")], [], [], "drop").map(describeRoleStep)).toEqual([
        "alter role app",
      ]);
    }
  });

  it("sets a password that does not match, and none that is not declared", () => {
    const is = state(role("app"), { passwordRight: false });
    expect(planRoles({ app: is }, [role("app")], ["app"], [], "drop")).toEqual([
      { do: "set-password", name: "app" },
    ]);
    expect(planRoles({ app: { ...is, passwordRight: undefined } }, [role("app")], [], [], "drop")).toEqual(
      [],
    );
  });

  it("takes away only what was declared before", () => {
    const before = role("app", { memberOf: ["ours"], settings: { work_mem: "8MB" } });
    const is = state(
      role("app", { memberOf: ["ours", "theirs"], settings: { work_mem: "8MB", jit: "off" } }),
    );
    expect(statements({ app: is }, [role("app")], [], [before], "drop")).toEqual([
      'REVOKE "ours" FROM "app"',
      'ALTER ROLE "app" RESET "work_mem"',
    ]);
  });

  it("takes LOGIN from a role that is no longer declared, or drops it when asked", () => {
    const is = { old: state(role("old")) };
    expect(statements(is, [], [], [role("old")], "disable-login")).toEqual(['ALTER ROLE "old" NOLOGIN']);
    expect(statements(is, [], [], [role("old")], "drop")).toEqual(['DROP ROLE "old"']);
    expect(
      statements({ old: state(role("old", { login: false })) }, [], [], [role("old")], "disable-login"),
    ).toEqual([]);
    expect(statements({}, [], [], [role("old")], "drop")).toEqual([]);
  });
});

describe("statements about roles", () => {
  it("quote what could end them", () => {
    const hostile = role('x"; DROP TABLE t; --', { connectionLimit: 5, login: false, createDatabase: true });
    expect(roleStatement({ do: "create", role: hostile }, () => "")).toBe(
      'CREATE ROLE "x""; DROP TABLE t; --" NOLOGIN NOSUPERUSER CREATEDB NOCREATEROLE INHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5',
    );
    expect(roleStatement({ do: "set", name: "a", setting: "pgaudit.log", value: "it's" }, () => "")).toBe(
      `ALTER ROLE "a" SET "pgaudit"."log" TO 'it''s'`,
    );
  });

  it("read the roles by parameter", () => {
    expect(readRolesStatement()).toMatch(
      /FROM pg_catalog\.pg_authid r WHERE r\.rolname = ANY \(\$1::name\[\]\)$/,
    );
  });
});

describe("checks of roles", () => {
  it("report everything at once", () => {
    const roles = [
      role("postgres"),
      role("pg_mine"),
      role(""),
      role("a", { connectionLimit: 1.5 }),
      role("b", { settings: { search_path: "x" } }),
      role("b"),
    ];
    expect(checkRoles(roles).map(({ reason }) => reason)).toEqual([
      `"postgres" is reserved for PostgreSQL or Patroni: choose another name`,
      `"pg_mine" is reserved for PostgreSQL or Patroni: choose another name`,
      `a role's name must have 1 to 63 bytes (PostgreSQL truncates longer names), got ""`,
      "a: connectionLimit must be a whole number of at least 0, or -1 for no limit, got 1.5",
      "b: search_path is a list parameter, which cannot be set here: set it with ALTER ROLE",
      `"b" is declared twice`,
    ]);
  });

  it("refuse passwords that would need SASLprep, without showing them", () => {
    expect(checkPasswords({ a: "plain", b: "gehölz", c: "" })).toEqual([
      { property: "passwords", reason: "the password of b must be printable ASCII and not empty" },
      { property: "passwords", reason: "the password of c must be printable ASCII and not empty" },
    ]);
    expect(checkPasswords("04da6b54-80e4-46f7-96ec-b56ff0331ba9" as never)).toEqual([]);
  });
});
