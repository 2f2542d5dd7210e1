/** Plans changes of etcd's users and roles. Pure: the provider reads the state and executes the steps in order. */

export interface Scope {
  /** User name; its role has the same name. */
  readonly user: string;
  /** The user may read and write all keys with this prefix. */
  readonly prefix: string;
}

export interface Permission {
  /** Base64, as in the gateway's JSON. */
  readonly key: string;
  readonly rangeEnd: string;
  readonly type: "READ" | "WRITE" | "READWRITE";
}

export interface AuthenticationState {
  readonly enabled: boolean;
  /** Names of each user's roles, by user. */
  readonly users: Readonly<Record<string, readonly string[]>>;
  /** Permissions by role. `root` has all permissions, and lists none. */
  readonly roles: Readonly<Record<string, readonly Permission[]>>;
  /** Users that already have the declared password. */
  readonly passwordsRight: readonly string[];
}

export type AuthenticationStep =
  | { readonly do: "add-role" | "delete-role"; readonly role: string }
  | { readonly do: "grant" | "revoke"; readonly role: string; readonly permission: Permission }
  | { readonly do: "add-user" | "set-password" | "delete-user"; readonly user: string }
  | { readonly do: "grant-role" | "revoke-role"; readonly user: string; readonly role: string }
  | { readonly do: "enable" };

/**
 * Permission for all keys with the prefix. The range ends at the prefix with its last byte incremented, as in
 * `clientv3.GetPrefixRangeEnd`.
 */
export function prefixPermission(prefix: string): Permission {
  const end = Buffer.from(prefix, "utf8");
  // Prefixes are ASCII, so the last byte is never 0xff and there is no carry.
  const last = end.length - 1;
  end.writeUInt8(end.readUInt8(last) + 1, last);
  return {
    key: Buffer.from(prefix, "utf8").toString("base64"),
    rangeEnd: end.toString("base64"),
    type: "READWRITE",
  };
}

function samePermission(a: Permission, b: Permission): boolean {
  return a.key === b.key && a.rangeEnd === b.rangeEnd && a.type === b.type;
}

/**
 * @param removed scopes that are no longer declared; users and roles that were never declared are kept
 */
export function planAuthentication(
  state: AuthenticationState,
  scopes: readonly Scope[],
  removed: readonly Scope[],
): readonly AuthenticationStep[] {
  const steps: AuthenticationStep[] = [];
  const wanted = [{ user: "root", role: "root", permission: undefined }, ...scopes.map(scopeEntry)];
  for (const { user, role, permission } of wanted) {
    const permissions = state.roles[role];
    if (permissions === undefined) steps.push({ do: "add-role", role });
    if (permission !== undefined) {
      const surplus = (permissions ?? []).filter((p) => !samePermission(p, permission));
      for (const p of surplus) steps.push({ do: "revoke", role, permission: p });
      if (!(permissions ?? []).some((p) => samePermission(p, permission)))
        steps.push({ do: "grant", role, permission });
    }
    const roles = state.users[user];
    if (roles === undefined) steps.push({ do: "add-user", user });
    else if (!state.passwordsRight.includes(user)) steps.push({ do: "set-password", user });
    if (!(roles ?? []).includes(role)) steps.push({ do: "grant-role", user, role });
    for (const other of (roles ?? []).filter((r) => r !== role))
      steps.push({ do: "revoke-role", user, role: other });
  }
  for (const { user } of removed) {
    if (scopes.some((scope) => scope.user === user)) continue;
    if (state.users[user] !== undefined) steps.push({ do: "delete-user", user });
    if (state.roles[user] !== undefined) steps.push({ do: "delete-role", role: user });
  }
  // Last, because from then on only `root` may change users.
  if (!state.enabled) steps.push({ do: "enable" });
  return steps;
}

function scopeEntry(scope: Scope): { user: string; role: string; permission: Permission } {
  return { user: scope.user, role: scope.user, permission: prefixPermission(scope.prefix) };
}

/** A step as a progress line. */
export function describeStep(step: AuthenticationStep): string {
  switch (step.do) {
    case "enable":
      return "enable authentication";
    case "add-user":
    case "set-password":
    case "delete-user":
      return `${step.do} ${step.user}`;
    case "add-role":
    case "delete-role":
      return `${step.do} ${step.role}`;
    case "grant":
    case "revoke":
      return `${step.do} ${step.role} ${step.permission.type} ${Buffer.from(step.permission.key, "base64").toString("utf8")}*`;
    case "grant-role":
    case "revoke-role":
      return `${step.do} ${step.role} ${step.user}`;
  }
}
