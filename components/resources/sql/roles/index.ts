import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { OnRemoval } from "./plan";
import { ROLES_PROVIDER_VERSION } from "./provider";

export interface RoleArgs {
  /** At most 63 bytes; not one of PostgreSQL's own roles. */
  readonly name: string;
  /** Printable ASCII. The server gets a SCRAM-SHA-256 verifier, never the password itself. If not set, an existing password is kept. */
  readonly password?: pulumi.Input<string>;
  /** May log in. Default: true if it has a password. */
  readonly login?: boolean;
  /** Maximum number of concurrent connections. Default -1: no limit. */
  readonly connectionLimit?: number;
  /** May create databases. Default false. */
  readonly createDatabase?: boolean;
  /** May create roles. Default false. */
  readonly createRole?: boolean;
  /** Roles that it is a member of. Removing one from the list revokes it; memberships granted elsewhere are kept. */
  readonly memberOf?: readonly string[];
  /** Configuration parameters of its sessions: `{ statement_timeout: "30s" }`. List parameters such as search_path are not supported. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RolesArgs {
  /** A superuser's session: only superusers can read password verifiers. */
  readonly target: SessionArgs;
  readonly roles: readonly RoleArgs[];
  /** Parameters for sessions of roles that are not declared here, such as the superuser, by role. Removing one does not reset it. Default: none. */
  readonly settingsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * What happens to a role that is removed from the list. Default `disable-login`: it keeps its objects but cannot log in. With `drop`
   * it is dropped if nothing depends on it; otherwise it is kept with NOLOGIN. Data are never dropped.
   */
  readonly onRemoval?: OnRemoval;
  /** Seconds to wait for a primary. Default 60. */
  readonly deadlineSeconds?: number;
}

/**
 * Roles of a PostgreSQL cluster with their passwords, memberships and settings. None of them gets SUPERUSER, REPLICATION or
 * BYPASSRLS. A second `up` changes nothing. Deleting the resource keeps the roles, because they belong to the data.
 */
export class Roles extends DynamicResource {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  declare readonly drift: pulumi.Output<readonly string[]>;

  constructor(name: string, args: RolesArgs, opts?: pulumi.CustomResourceOptions) {
    const { target, password } = splitPassword(args.target);
    const passwords = args.roles.flatMap((role) =>
      role.password === undefined ? [] : [[role.name, role.password]],
    );
    super(
      "resources/sql/roles/provider#rolesProvider",
      name,
      {
        target,
        password: pulumi.secret(password),
        roles: args.roles.map((role) => ({
          name: role.name,
          login: role.login ?? role.password !== undefined,
          connectionLimit: role.connectionLimit ?? -1,
          createDatabase: role.createDatabase ?? false,
          createRole: role.createRole ?? false,
          memberOf: [...(role.memberOf ?? [])],
          settings: { ...role.settings },
        })),
        settingsOf: args.settingsOf ?? {},
        passwords: pulumi.secret(Object.fromEntries(passwords)),
        onRemoval: args.onRemoval ?? "disable-login",
        deadlineSeconds: args.deadlineSeconds ?? 60,
        drift: undefined,
        providerVersion: ROLES_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password", "passwords"] }),
      "sql",
      "Roles",
    );
  }
}
