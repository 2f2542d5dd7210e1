import { quoteIdentifier, quoteLiteral, quoteSetting } from "../quote";
import type { Role, RoleStep } from "./plan";

/** Parameter $1: the names. One row per existing role. */
export function readRolesStatement(): string {
  return `SELECT r.rolname AS name, r.rolcanlogin AS login, r.rolconnlimit AS "connectionLimit",
       r.rolcreatedb AS "createDatabase", r.rolcreaterole AS "createRole",
       r.rolsuper AS superuser, r.rolreplication AS replication, r.rolbypassrls AS "bypassRowSecurity",
       r.rolpassword AS verifier,
       ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m
             JOIN pg_catalog.pg_authid g ON g.oid = m.roleid WHERE m.member = r.oid ORDER BY 1) AS "memberOf",
       coalesce((SELECT s.setconfig FROM pg_catalog.pg_db_role_setting s
                 WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings
FROM pg_catalog.pg_authid r WHERE r.rolname = ANY ($1::name[])`;
}

/** NOSUPERUSER, NOREPLICATION and NOBYPASSRLS are explicit, so that attributes which were set manually are removed. */
function attributes(role: Role): string {
  return [
    role.login ? "LOGIN" : "NOLOGIN",
    "NOSUPERUSER",
    role.createDatabase ? "CREATEDB" : "NOCREATEDB",
    role.createRole ? "CREATEROLE" : "NOCREATEROLE",
    "INHERIT",
    "NOREPLICATION",
    "NOBYPASSRLS",
    `CONNECTION LIMIT ${Math.trunc(role.connectionLimit)}`,
  ].join(" ");
}

/** @param verifierOf returns the SCRAM verifier to store for a role, never the plain-text password */
export function roleStatement(step: RoleStep, verifierOf: (name: string) => string): string {
  switch (step.do) {
    case "create":
      return `CREATE ROLE ${quoteIdentifier(step.role.name)} ${attributes(step.role)}`;
    case "alter":
      return `ALTER ROLE ${quoteIdentifier(step.role.name)} ${attributes(step.role)}`;
    case "set-password":
      return `ALTER ROLE ${quoteIdentifier(step.name)} PASSWORD ${quoteLiteral(verifierOf(step.name))}`;
    case "drop":
      return `DROP ROLE ${quoteIdentifier(step.name)}`;
    case "disable-login":
      return `ALTER ROLE ${quoteIdentifier(step.name)} NOLOGIN`;
    case "grant":
      return `GRANT ${quoteIdentifier(step.group)} TO ${quoteIdentifier(step.name)}`;
    case "revoke":
      return `REVOKE ${quoteIdentifier(step.group)} FROM ${quoteIdentifier(step.name)}`;
    case "set":
      return `ALTER ROLE ${quoteIdentifier(step.name)} SET ${quoteSetting(step.setting)} TO ${quoteLiteral(step.value)}`;
    case "reset":
      return `ALTER ROLE ${quoteIdentifier(step.name)} RESET ${quoteSetting(step.setting)}`;
  }
}
