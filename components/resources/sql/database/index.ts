import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { Access, FunctionSpec } from "./plan";
import { DATABASE_PROVIDER_VERSION } from "./provider";

export interface DatabaseArgs {
  /** A superuser's session in any other database. */
  readonly target: SessionArgs;
  /** The database's name. Another name is another database: the old one stays, with its data. */
  readonly name: string;
  /** The role that owns it and may change its schema. It must exist. */
  readonly owner: string;
  /** Extensions that it has. One that is taken off the list stays. Default none. */
  readonly extensions?: readonly string[];
  /**
   * Who may connect, besides the owner, and do what with objects that the owner has made or will make, in schema `public` and in
   * schemas of the owner. A role that is taken off a list loses it.
   */
  readonly access?: Partial<Access>;
  /** Further roles that may connect, and have no rights to data by that. Default none. */
  readonly connect?: readonly string[];
  /** Functions that give a role what it may not see by itself. One that is taken off the list stays. Default none. */
  readonly functions?: readonly FunctionSpec[];
  /** How long to look for a primary, in seconds. Default 60. */
  readonly deadlineSeconds?: number;
}

/**
 * A database with its owner, extensions and rights. Nobody but the named roles may connect, and none but the owner change the schema.
 * A second `up` changes nothing. Deleting the resource never drops the database.
 */
export class Database extends DynamicResource {
  /** What a refresh found different from what was declared; the next `up` mends it. */
  declare readonly drift: pulumi.Output<readonly string[]>;

  constructor(name: string, args: DatabaseArgs, opts?: pulumi.CustomResourceOptions) {
    const { target, password } = splitPassword(args.target);
    super(
      "resources/sql/database/provider#databaseProvider",
      name,
      {
        target,
        password: pulumi.secret(password),
        name: args.name,
        owner: args.owner,
        extensions: args.extensions ?? [],
        access: { readWrite: args.access?.readWrite ?? [], readOnly: args.access?.readOnly ?? [] },
        connect: args.connect ?? [],
        functions: args.functions ?? [],
        deadlineSeconds: args.deadlineSeconds ?? 60,
        drift: undefined,
        providerVersion: DATABASE_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "sql",
      "Database",
    );
  }
}
