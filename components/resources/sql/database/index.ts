import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { Access, FunctionSpec } from "./plan";
import { DATABASE_PROVIDER_VERSION } from "./provider";

export interface DatabaseArgs {
  /** A superuser's session in any other database. */
  readonly target: SessionArgs;
  /** The database's name. A new name creates a new database; the old one is kept, with its data. */
  readonly name: string;
  /** The role that owns the database and may change its schema. It must exist. */
  readonly owner: string;
  /** Extensions to create. Removing one from the list does not drop it. Default: none. */
  readonly extensions?: readonly string[];
  /**
   * Roles that may connect besides the owner, and their privileges on existing and future objects of the owner, in schema `public` and in
   * schemas of the owner. A role that is removed from a list loses them.
   */
  readonly access?: Partial<Access>;
  /** Additional roles that may connect, without privileges on data. Default: none. */
  readonly connect?: readonly string[];
  /** SECURITY DEFINER functions that give a role access to data that it cannot read. Removing one from the list does not drop it. Default: none. */
  readonly functions?: readonly FunctionSpec[];
  /** Seconds to wait for a primary. Default 60. */
  readonly deadlineSeconds?: number;
}

/**
 * A database with its owner, extensions and privileges. Only the named roles may connect, and only the owner may change the schema.
 * A second `up` changes nothing. Deleting the resource never drops the database.
 */
export class Database extends DynamicResource {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
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
