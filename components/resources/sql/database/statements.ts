import { quoteIdentifier, quoteIdentifiers } from "../quote";
import type { DatabaseStep, FunctionSpec, ObjectKind, ServerStep } from "./plan";

/** Parameter $1: the database. No row if it does not exist. PUBLIC, the grantee 0, is returned as "". */
export function readServerStatement(): string {
  return `SELECT pg_catalog.pg_get_userbyid(d.datdba) AS owner,
       ARRAY(SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END
             FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
             WHERE a.privilege_type = 'CONNECT' AND a.grantee <> d.datdba ORDER BY 1) AS connect,
       EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
               WHERE a.privilege_type = 'TEMPORARY' AND a.grantee = 0) AS "publicTemporary"
FROM pg_catalog.pg_database d WHERE d.datname = $1`;
}

/** One row: the names of the extensions, and whether PUBLIC holds CREATE on the schema `public`. */
export function readSchemaStatement(): string {
  return `SELECT ARRAY(SELECT extname::text FROM pg_catalog.pg_extension ORDER BY 1) AS extensions,
       coalesce((SELECT bool_or(a.grantee = 0 AND a.privilege_type = 'CREATE')
                 FROM pg_catalog.pg_namespace n,
                      pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) a
                 WHERE n.nspname = 'public'), false) AS "publicCreates"`;
}

/**
 * Parameter $1: the owner. One row per object and privilege held by another role; an object without any has one row with nulls.
 * Without objects of extensions, whose scripts set their privileges.
 */
export function readObjectsStatement(): string {
  return `WITH owner AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1), object AS (
  SELECT 'schema' AS kind, 'pg_namespace'::regclass AS class, n.oid, quote_ident(n.nspname) AS identity,
         coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl, n.nspowner AS owner
  FROM pg_namespace n WHERE n.nspname = 'public' OR n.nspowner = (SELECT oid FROM owner)
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, 'pg_class'::regclass, c.oid,
         format('%I.%I', n.nspname, c.relname),
         coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)), c.relowner
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relowner = (SELECT oid FROM owner) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_'
  UNION ALL
  SELECT 'routine', 'pg_proc'::regclass, p.oid,
         format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
         coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proowner = (SELECT oid FROM owner)
)
SELECT o.kind, o.identity, a.privilege_type AS privilege, pg_get_userbyid(a.grantee)::text AS role
FROM object o LEFT JOIN LATERAL aclexplode(o.acl) a ON a.grantee <> 0 AND a.grantee <> o.owner
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3, 4`;
}

/** Parameter $1: the owner. Its default privileges that apply to all schemas. */
export function readDefaultsStatement(): string {
  return `SELECT CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'routine' ELSE 'schema' END AS kind,
       a.privilege_type AS privilege, pg_catalog.pg_get_userbyid(a.grantee)::text AS role
FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
WHERE d.defaclrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1)
  AND d.defaclnamespace = 0 AND d.defaclobjtype IN ('r', 'S', 'f', 'n') AND a.grantee <> 0`;
}

/**
 * Parameters: $1 the body, $2 the role that may execute it, $3 the schema, $4 the name, $5 the arguments, $6 all roles that may use the schema.
 * One row: whether the function is exactly as declared. No row if it does not exist.
 */
export function readFunctionStatement(): string {
  return `SELECT p.prosrc = $1 AND p.prosecdef AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp'] AND o.rolsuper AND n.nspowner = p.proowner
       AND coalesce((SELECT bool_and(a.grantee = p.proowner OR a.grantee = r.oid) AND bool_or(a.grantee = r.oid)
                     FROM pg_catalog.aclexplode(p.proacl) a), false)
       AND coalesce((SELECT bool_and(a.grantee = n.nspowner OR a.grantee = ANY (SELECT u.oid FROM pg_catalog.pg_roles u WHERE u.rolname = ANY ($6)))
                        AND bool_or(a.grantee = r.oid)
                     FROM pg_catalog.aclexplode(n.nspacl) a), false) AS current
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_roles o ON o.oid = p.proowner
JOIN pg_catalog.pg_roles r ON r.rolname = $2
WHERE n.nspname = $3 AND p.proname = $4 AND pg_catalog.pg_get_function_identity_arguments(p.oid) = $5`;
}

const bodyOf = ({ body }: FunctionSpec): string => `\n${body.trim()}\n`;

/** Parameters of the statement above; `all` are the declared functions of the database. */
export const functionParameters = (made: FunctionSpec, all: readonly FunctionSpec[]): unknown[] => [
  ...[bodyOf(made), made.executeBy, made.schema, made.name, made.arguments],
  all.filter(({ schema }) => schema === made.schema).map(({ executeBy }) => executeBy),
];

/** The current superuser owns the function, its search_path is fixed, and only one role may execute it. */
export function makeFunctionStatements(made: FunctionSpec): readonly string[] {
  const [role, schema] = [quoteIdentifier(made.executeBy), quoteIdentifier(made.schema)];
  const name = `${schema}.${quoteIdentifier(made.name)}`;
  const types = `${name}(${made.arguments})`;
  return [
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `ALTER SCHEMA ${schema} OWNER TO CURRENT_USER`,
    `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC`,
    `GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
    // CREATE OR REPLACE would keep a wrong owner and privileges of former roles.
    `DROP FUNCTION IF EXISTS ${types}`,
    `CREATE FUNCTION ${types} RETURNS ${made.returns}
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$${bodyOf(made)}$body$`,
    `REVOKE ALL ON FUNCTION ${types} FROM PUBLIC`,
    `GRANT EXECUTE ON FUNCTION ${types} TO ${role}`,
  ];
}

/** The statement for a step that can run in any database. */
export function serverStatement(step: ServerStep): string {
  const database = quoteIdentifier(step.name);
  switch (step.do) {
    case "create-database":
      return `CREATE DATABASE ${database} OWNER ${quoteIdentifier(step.owner)}`;
    case "set-owner":
      return `ALTER DATABASE ${database} OWNER TO ${quoteIdentifier(step.owner)}`;
    case "close-to-public":
      return `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`;
    case "allow-connect":
      return `GRANT CONNECT ON DATABASE ${database} TO ${quoteIdentifier(step.role)}`;
    case "refuse-connect":
      return `REVOKE CONNECT ON DATABASE ${database} FROM ${quoteIdentifier(step.role)}`;
  }
}

const objectWord = (kind: ObjectKind): string => kind.toUpperCase();

/** The statements for a step in the database itself. `identities` come from the server, already quoted. */
export function databaseStatements(step: DatabaseStep): readonly string[] {
  switch (step.do) {
    case "create-extension":
      return [`CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(step.extension)} CASCADE`];
    case "close-schema-public":
      return ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"];
    case "grant":
    case "revoke": {
      const [verb, preposition] = step.do === "grant" ? ["GRANT", "TO"] : ["REVOKE", "FROM"];
      const objects = `${objectWord(step.kind)} ${step.identities.join(", ")}`;
      return [
        `${verb} ${step.privileges.join(", ")} ON ${objects} ${preposition} ${quoteIdentifier(step.role)}`,
      ];
    }
    case "grant-later":
    case "revoke-later": {
      const [verb, preposition] = step.do === "grant-later" ? ["GRANT", "TO"] : ["REVOKE", "FROM"];
      const right = `${verb} ${step.privileges.join(", ")} ON ${objectWord(step.kind)}S`;
      return [
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifiers([step.owner])} ${right} ${preposition} ${quoteIdentifier(step.role)}`,
      ];
    }
    case "make-function":
      return makeFunctionStatements(step.made);
  }
}
