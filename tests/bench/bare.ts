import * as fs from "node:fs";
import * as path from "node:path";
import { shellWord } from "../../components/platforms/docker/health-check";
import type { DatabaseSpec } from "../../components/resources/sql/database/plan";
import { planDatabase, planServer } from "../../components/resources/sql/database/plan";
import { databaseStatements, serverStatement } from "../../components/resources/sql/database/statements";
import { type Role, planRoles } from "../../components/resources/sql/roles/plan";
import { scramVerifier } from "../../components/resources/sql/roles/scram";
import { roleStatement } from "../../components/resources/sql/roles/statements";
import { secretiveStatements } from "../../components/resources/sql/session";
import { type ContainerInputs, createArguments } from "./create-arguments";

/** Who asks the endpoints whether they answer. */
const CLIENT = "app_readwrite";

interface Resource {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

interface EtcdInputs {
  readonly scopes: readonly { readonly user: string; readonly prefix: string }[];
  /** By user. */
  readonly passwords: Readonly<Record<string, string>>;
}

interface RolesInputs {
  readonly roles: readonly Role[];
  /** By role. */
  readonly passwords: Readonly<Record<string, string>>;
}

/**
 * Writes what `bare.sh` needs to start the same containers as the exported stack has, with the same secrets, and to make the same
 * users, roles and database: by the statements that the stack's own resources execute on an empty server.
 */
export function writeBare(folder: string, exported: string, endpoints: readonly number[]): void {
  const state = reveal(JSON.parse(exported)) as { deployment: { resources: Resource[] } };
  const { resources } = state.deployment;
  const inputsOf = (type: string): unknown[] =>
    resources.filter((resource) => resource.type.endsWith(type)).map(({ inputs }) => inputs);
  const only = (type: string): unknown => {
    const [found, ...more] = inputsOf(type);
    if (found === undefined || more.length > 0) throw new Error(`the stack should have exactly one ${type}`);
    return found;
  };
  const containers = inputsOf("container:Container") as ContainerInputs[];
  const network = only("network:Network") as { name: string };
  const etcd = only(":EtcdAuthentication") as EtcdInputs;
  const roles = only(":Roles") as RolesInputs;
  const database = only(":Database") as DatabaseSpec;
  const [scope, ...otherScopes] = etcd.scopes;
  if (scope === undefined || otherScopes.length > 0)
    throw new Error(`bare.sh knows one scope of etcd, the stack has ${etcd.scopes.length}`);

  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true, mode: 0o755 });
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  };
  for (const container of containers) {
    const place = `containers/${workloadOf(container)}/${container.name}`;
    write(
      `${place}/arguments`,
      createArguments(container)
        .map((word) => `${word}\0`)
        .join(""),
    );
    for (const { file, content, permissions } of container.uploads ?? []) {
      write(`${place}/files${file}`, content);
      fs.chmodSync(path.join(folder, `${place}/files${file}`), parseInt(permissions ?? "0644", 8));
    }
  }
  const groups = [...new Set(containers.map(workloadOf))]
    .filter((name) => /^(patroni|coordinator|worker-\d+)$/.test(name))
    .sort();
  const distributed = groups.includes("coordinator");
  write("server.sql", serverSql(roles.roles, roles.passwords, database, distributed));
  write("database.sql", databaseSql(database));
  write("etcd-password", `${etcd.passwords[scope.user] ?? ""}\n`);
  write("client-password", roles.passwords[CLIENT] ?? "");
  const settings = {
    network: network.name,
    database: database.name,
    // The first is the one that clients come to; in a Citus cluster Patroni has made its database, and roles are made from there.
    groups: groups.join(" "),
    from: distributed ? database.name : "postgres",
    client: CLIENT,
    etcd_user: scope.user,
    etcd_prefix: scope.prefix,
    endpoints: endpoints.join(" "),
  };
  write(
    "settings",
    Object.entries(settings)
      .map(([name, value]) => `${name}=${shellWord(value)}\n`)
      .join(""),
  );
}

const script = (statements: readonly string[]): string =>
  statements.map((statement) => `${statement};\n`).join("");

function workloadOf(container: ContainerInputs): string {
  const workload = container.labels?.find(({ label }) => label === "postgres-cluster.workload")?.value;
  if (workload === undefined) throw new Error(`the container ${container.name} has no workload`);
  return workload;
}

function serverSql(
  roles: readonly Role[],
  passwords: Readonly<Record<string, string>>,
  database: DatabaseSpec,
  exists: boolean,
): string {
  const verifier = (name: string): string => scramVerifier(passwords[name] ?? "");
  return script([
    ...secretiveStatements(),
    ...planRoles({}, roles, Object.keys(passwords), [], "disable-login").map((step) =>
      roleStatement(step, verifier),
    ),
    ...planServer(exists ? { database: MADE_BY_PATRONI } : {}, database).map(serverStatement),
  ]);
}

const MADE_BY_PATRONI = { owner: "postgres", connect: [""], publicTemporary: true };

/** In a new database there is nothing but the schema `public`. */
function databaseSql(database: DatabaseSpec): string {
  const empty = {
    extensions: [],
    publicCreates: false,
    objects: [{ kind: "schema" as const, identity: "public", holders: {} }],
    defaults: { schema: {}, table: {}, sequence: {}, routine: {} },
    functions: [],
  };
  const quiet = "SET client_min_messages = warning";
  return script([quiet, ...planDatabase(empty, database).flatMap(databaseStatements)]);
}

const SECRET = "4dabf18193072939515e22adb298388d";

/** Secrets in clear: the CLI exports them as JSON in `plaintext`. */
function reveal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (SECRET in fields) return reveal(JSON.parse(String(fields["plaintext"])));
  return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, reveal(inner)]));
}
