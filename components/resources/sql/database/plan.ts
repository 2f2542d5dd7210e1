/** What to change for a database. Pure: the provider reads the two states and executes the steps in order. */

export interface Access {
  /** Roles that read and write data, but cannot change the schema. */
  readonly readWrite: readonly string[];
  /** Roles that read data. */
  readonly readOnly: readonly string[];
}

/** A SECURITY DEFINER function, owned by the superuser, with a fixed search_path. Only `executeBy` may execute it. */
export interface FunctionSpec {
  readonly schema: string;
  readonly name: string;
  /** As in CREATE FUNCTION: `name text`. */
  readonly arguments: string;
  /** As in CREATE FUNCTION: `TABLE (usename name, passwd text)`. */
  readonly returns: string;
  /** One SQL statement. */
  readonly body: string;
  readonly executeBy: string;
}

export interface DatabaseSpec {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  readonly access: Access;
  /** Additional roles that may connect, without privileges on data. Missing in states of older versions. */
  readonly connect?: readonly string[];
  /** Missing in states of older versions. */
  readonly functions?: readonly FunctionSpec[];
}

export const functionName = ({ schema, name }: Pick<FunctionSpec, "schema" | "name">): string =>
  `${schema}.${name}`;

/** The roles that hold each privilege on an object, by privilege: `SELECT`. */
export type Holders = Readonly<Record<string, readonly string[]>>;

export interface ServerState {
  /** Undefined if the database does not exist. */
  readonly database?: {
    readonly owner: string;
    /** Roles that hold CONNECT, except the owner; "" is PUBLIC. */
    readonly connect: readonly string[];
    /** PUBLIC holds TEMPORARY. */
    readonly publicTemporary: boolean;
  };
}

export type ObjectKind = "schema" | "table" | "sequence" | "routine";

/** An object that belongs to the owner. */
export interface OwnedObject {
  readonly kind: ObjectKind;
  /** For use in statements: quoted, with its schema and, for a routine, the argument types. */
  readonly identity: string;
  readonly holders: Holders;
}

export interface DatabaseState {
  readonly extensions: readonly string[];
  /** PUBLIC holds CREATE on the schema `public`. */
  readonly publicCreates: boolean;
  /** The schema `public` and the owner's schemas, tables, sequences and routines. */
  readonly objects: readonly OwnedObject[];
  /** Default privileges for the owner's future objects, by kind. */
  readonly defaults: Readonly<Record<ObjectKind, Holders>>;
  /** Functions that are exactly as declared: body, owner, search_path, privileges. */
  readonly functions: readonly string[];
}

export interface Grant {
  readonly kind: ObjectKind;
  readonly privileges: readonly string[];
  readonly role: string;
}

export type ServerStep =
  | { readonly do: "create-database" | "set-owner"; readonly name: string; readonly owner: string }
  | { readonly do: "close-to-public"; readonly name: string }
  | { readonly do: "allow-connect" | "refuse-connect"; readonly name: string; readonly role: string };

export type DatabaseStep =
  | { readonly do: "create-extension"; readonly extension: string }
  | { readonly do: "close-schema-public" }
  | ({ readonly do: "grant"; readonly identities: readonly string[] } & Grant)
  | ({ readonly do: "grant-later"; readonly owner: string } & Grant)
  | ({ readonly do: "revoke"; readonly identities: readonly string[] } & Grant)
  | ({ readonly do: "revoke-later"; readonly owner: string } & Grant)
  | { readonly do: "make-function"; readonly made: FunctionSpec };

/** Privileges on data only, so without TRUNCATE, REFERENCES, TRIGGER and MAINTAIN. */
function privilegesOf(
  access: "readWrite" | "readOnly",
): readonly { kind: ObjectKind; privileges: readonly string[] }[] {
  return access === "readWrite"
    ? [
        { kind: "schema", privileges: ["USAGE"] },
        { kind: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
        { kind: "sequence", privileges: ["USAGE", "SELECT", "UPDATE"] },
        { kind: "routine", privileges: ["EXECUTE"] },
      ]
    : [
        { kind: "schema", privileges: ["USAGE"] },
        { kind: "table", privileges: ["SELECT"] },
        { kind: "sequence", privileges: ["SELECT"] },
      ];
}

function grantsOf(access: Access): Grant[] {
  const of = (kind: "readWrite" | "readOnly", roles: readonly string[]): Grant[] =>
    roles.flatMap((role) => privilegesOf(kind).map((privilege) => ({ ...privilege, role })));
  return [...of("readWrite", access.readWrite), ...of("readOnly", access.readOnly)];
}

/** The roles that may connect. */
export const connectRoles = ({
  access,
  connect = [],
}: Pick<DatabaseSpec, "access" | "connect">): string[] => [
  ...access.readWrite,
  ...access.readOnly,
  ...connect,
];

/** @param before the previous declaration: CONNECT is only revoked from roles that were declared */
export function planServer(
  state: ServerState,
  spec: DatabaseSpec,
  before?: DatabaseSpec,
): readonly ServerStep[] {
  const { name, owner } = spec;
  const steps: ServerStep[] = [];
  if (state.database === undefined) steps.push({ do: "create-database", name, owner });
  else if (state.database.owner !== owner) steps.push({ do: "set-owner", name, owner });
  // A new database grants CONNECT and TEMPORARY to PUBLIC.
  const is = state.database ?? { connect: [""], publicTemporary: true };
  if (is.connect.includes("") || is.publicTemporary) steps.push({ do: "close-to-public", name });
  const wanted = connectRoles(spec);
  for (const role of wanted) {
    if (!is.connect.includes(role)) steps.push({ do: "allow-connect", name, role });
  }
  for (const role of before === undefined ? [] : connectRoles(before)) {
    if (!wanted.includes(role) && is.connect.includes(role)) steps.push({ do: "refuse-connect", name, role });
  }
  return steps;
}

function missing(holders: Holders, grant: Grant): readonly string[] {
  return grant.privileges.filter((privilege) => !(holders[privilege] ?? []).includes(grant.role));
}

function held(holders: Holders, grant: Grant): readonly string[] {
  return grant.privileges.filter((privilege) => (holders[privilege] ?? []).includes(grant.role));
}

/** The privileges in `before` that are not in `wanted`. */
function withdrawn(before: readonly Grant[], wanted: readonly Grant[]): Grant[] {
  return before
    .map((old) => ({
      ...old,
      privileges: old.privileges.filter(
        (privilege) =>
          !wanted.some(
            (now) => now.kind === old.kind && now.role === old.role && now.privileges.includes(privilege),
          ),
      ),
    }))
    .filter((old) => old.privileges.length > 0);
}

export function planDatabase(
  state: DatabaseState,
  spec: DatabaseSpec,
  before?: DatabaseSpec,
): readonly DatabaseStep[] {
  const steps: DatabaseStep[] = [];
  for (const extension of spec.extensions) {
    if (!state.extensions.includes(extension)) steps.push({ do: "create-extension", extension });
  }
  if (state.publicCreates) steps.push({ do: "close-schema-public" });

  const wanted = grantsOf(spec.access);
  for (const grant of wanted) {
    const lacking = state.objects.filter(
      (object) => object.kind === grant.kind && missing(object.holders, grant).length > 0,
    );
    if (lacking.length > 0)
      steps.push({ do: "grant", identities: lacking.map((object) => object.identity), ...grant });
    if (missing(state.defaults[grant.kind], grant).length > 0)
      steps.push({ do: "grant-later", owner: spec.owner, ...grant });
  }
  for (const grant of withdrawn(before === undefined ? [] : grantsOf(before.access), wanted)) {
    const having = state.objects.filter(
      (object) => object.kind === grant.kind && held(object.holders, grant).length > 0,
    );
    if (having.length > 0)
      steps.push({ do: "revoke", identities: having.map((object) => object.identity), ...grant });
    if (held(state.defaults[grant.kind], grant).length > 0)
      steps.push({ do: "revoke-later", owner: spec.owner, ...grant });
  }
  for (const made of spec.functions ?? []) {
    if (!state.functions.includes(functionName(made))) steps.push({ do: "make-function", made });
  }
  return steps;
}

/** A step as a progress line. */
export function describeDatabaseStep(step: ServerStep | DatabaseStep): string {
  switch (step.do) {
    case "create-database":
      return `create database ${step.name}, owned by ${step.owner}`;
    case "set-owner":
      return `change the owner of database ${step.name} to ${step.owner}`;
    case "close-to-public":
      return `revoke access to database ${step.name} from PUBLIC`;
    case "allow-connect":
      return `allow ${step.role} to connect to ${step.name}`;
    case "refuse-connect":
      return `no longer allow ${step.role} to connect to ${step.name}`;
    case "create-extension":
      return `create extension ${step.extension}`;
    case "close-schema-public":
      return "allow only the owner to create objects in schema public";
    case "grant":
    case "revoke":
      return `${step.do} ${step.privileges.join(", ")} on ${step.identities.length} ${step.kind}(s): ${step.role}`;
    case "grant-later":
    case "revoke-later":
      return `${step.do.slice(0, -6)} ${step.privileges.join(", ")} on every future ${step.kind} of ${step.owner}: ${step.role}`;
    case "make-function":
      return `create function ${functionName(step.made)} for ${step.made.executeBy}`;
  }
}
