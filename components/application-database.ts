import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { ROLE_PINS } from "../config-files/postgres/pins";
import type { DatabaseContribution, GuestRole, Guests } from "./guests/contribution";
import {
  APPLICATION_ROLES,
  OWNER_ROLE,
  READ_ONLY_ROLE,
  READ_WRITE_ROLE,
} from "./resources/sql/application-roles";
import type { ClusterOwner } from "./resources/ownership";
import type { ResolvedApplicationDatabase } from "./patroni-cluster-args";
import type { PatroniGroup } from "./patroni-group";
import { Database } from "./resources/sql/database";
import { Roles } from "./resources/sql/roles";

export { OWNER_ROLE, POOL_ROLE, READ_ONLY_ROLE, READ_WRITE_ROLE } from "./resources/sql/application-roles";
const SUPERUSER = "postgres";

const guestRoles = (guests: Guests<DatabaseContribution>): readonly GuestRole[] =>
  guests.flatMap(({ roles = [] }) => roles);

/** A database that a `ProxyTier` can serve. */
export interface PooledDatabase {
  /** The group whose leader accepts writes. */
  readonly group: PatroniGroup;
  /** The database that clients connect to. */
  readonly database: string;
  /** Resolves when the database and its roles exist. */
  readonly ready: pulumi.Resource;
  /** The password of a role that this cluster created. */
  password(role: string): pulumi.Output<string>;
}

/** The passwords of a cluster: for roles, the superuser and Patroni's REST API. */
export class DatabasePasswords {
  /** Passwords by role name. */
  readonly ofRoles: Readonly<Record<string, pulumi.Output<string>>>;
  /** Password of the REST API's user `patroni`, for operators. */
  readonly rest: pulumi.Output<string>;

  /** In an adopted cluster, the passwords that applications already use stay valid. */
  constructor(
    name: string,
    owner: ClusterOwner,
    guests: Guests<DatabaseContribution>,
    parent: pulumi.Resource,
  ) {
    // Protected: the data volumes outlive a `destroy`, and the passwords in them must stay known.
    const password = (of: string): pulumi.Output<string> =>
      new random.RandomPassword(`${name}-${of}`, { length: 32, special: false }, { parent, protect: true })
        .result;
    this.rest = password("rest-api");
    const former = (role: string, made: pulumi.Output<string>): pulumi.Output<string> =>
      pulumi.secret(pulumi.all([owner.before, made]).apply(([was, other]) => was?.roles[role] ?? other));
    this.ofRoles = {
      [SUPERUSER]: password(SUPERUSER),
      ...Object.fromEntries(
        [
          ...APPLICATION_ROLES,
          ...guestRoles(guests).flatMap((role) => (role.password === "generated" ? [role.name] : [])),
        ].map((role) => [role, former(role, password(role))]),
      ),
    };
  }

  get superuser(): pulumi.Output<string> {
    return this.of(SUPERUSER);
  }

  of(role: string): pulumi.Output<string> {
    const password = this.ofRoles[role];
    if (!password) {
      throw new pulumi.RunError(
        `Role "${role}" does not exist. Use one of ${Object.keys(this.ofRoles).join(", ")}.`,
      );
    }
    return password;
  }
}

/**
 * Creates the application's roles, database, extensions and privileges on a group's leader. Returns the last of these resources. In a Citus
 * cluster everything runs in the distributed database, because Citus propagates commands to the other nodes only from there.
 */
export function applicationDatabase(
  name: string,
  args: {
    readonly group: PatroniGroup;
    readonly settings: ResolvedApplicationDatabase;
    readonly passwords: DatabasePasswords;
    readonly guests: Guests<DatabaseContribution>;
    /** The database in which the role statements run. */
    readonly from: string;
    readonly parent: pulumi.Resource;
  },
): Database {
  const { group, settings, passwords, guests, parent } = args;
  const ofGuests = guestRoles(guests);
  const target = group.session(args.from);
  const roles = new Roles(
    `${name}-roles`,
    {
      target,
      roles: [
        ...APPLICATION_ROLES.map((name) => ({ name, password: passwords.of(name) })),
        ...ofGuests.map(({ name, password, memberOf, settings: own, connections }) => ({
          ...{ name, login: true, memberOf, settings: own, connectionLimit: connections },
          ...(password === "generated" && { password: passwords.of(name) }),
        })),
      ],
      settingsOf: { [SUPERUSER]: ROLE_PINS },
    },
    { parent, dependsOn: [group.adminAccess] },
  );
  return new Database(
    `${name}-database`,
    {
      target,
      name: settings.database,
      owner: OWNER_ROLE,
      extensions: settings.extensions,
      access: { readWrite: [READ_WRITE_ROLE], readOnly: [READ_ONLY_ROLE] },
      connect: ofGuests.map(({ name }) => name),
      functions: guests.flatMap(({ functions = [] }) => functions),
    },
    { parent, dependsOn: [roles] },
  );
}
