import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { OnRemoval } from "./plan";
import { ROLES_PROVIDER_VERSION } from "./provider";

export interface RoleArgs {
  /** At most 63 bytes, and none of PostgreSQL's own. */
  readonly name: string;
  /** Printable ASCII. The server gets a SCRAM-SHA-256 verifier and never the password. Without one it is left alone. */
  readonly password?: pulumi.Input<string>;
  /** May log in. Default: true when there is a password. */
  readonly login?: boolean;
  /** How many connections it may have at a time. Default -1: no limit of its own. */
  readonly connectionLimit?: number;
  /** May create databases. Default false. */
  readonly createDatabase?: boolean;
  /** May create roles. Default false. */
  readonly createRole?: boolean;
  /** Roles whose rights it has. A membership that is taken off the list is revoked; one that somebody else gave stays. */
  readonly memberOf?: readonly string[];
  /** Settings of its sessions: `{ statement_timeout: "30s" }`. No lists such as search_path. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface RolesArgs {
  /** A superuser's session: passwords' verifiers are visible to no one else. */
  readonly target: SessionArgs;
  readonly roles: readonly RoleArgs[];
  /** Settings of the sessions of roles that are not declared here, such as the superuser: by role. One that is taken off stays. Default none. */
  readonly settingsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * What happens to a role that is taken off the list. Default `disable-login`: it keeps what it owns and may not log in. With `drop`
   * it is dropped, if nothing depends on it; otherwise it stays without LOGIN. Data is never dropped.
   */
  readonly onRemoval?: OnRemoval;
  /** How long to look for a primary, in seconds. Default 60. */
  readonly deadlineSeconds?: number;
}

/**
 * Roles of a PostgreSQL cluster with their passwords, memberships and settings. None is ever a superuser, may replicate or bypass row
 * security. A second `up` changes nothing. Deleting the resource leaves the roles: they belong to the data.
 */
export class Roles extends DynamicResource {
  /** What a refresh found different from what was declared; the next `up` mends it. */
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
