/** Plans changes of the server's roles. Pure: the provider reads the state and executes the steps in order. */

export interface Role {
  readonly name: string;
  /** May log in. */
  readonly login: boolean;
  /** Maximum number of concurrent connections; -1 for no limit. */
  readonly connectionLimit: number;
  readonly createDatabase: boolean;
  readonly createRole: boolean;
  /** Roles that it is a member of. */
  readonly memberOf: readonly string[];
  /** Configuration parameters of its sessions: `{ statement_timeout: "30s" }`. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface RoleState extends Role {
  readonly superuser: boolean;
  readonly replication: boolean;
  readonly bypassRowSecurity: boolean;
  /** The stored verifier matches the declared password; undefined if none is declared. */
  readonly passwordRight: boolean | undefined;
}

export type RoleStep =
  | { readonly do: "create" | "alter"; readonly role: Role }
  | { readonly do: "set-password" | "drop" | "disable-login"; readonly name: string }
  | { readonly do: "grant" | "revoke"; readonly name: string; readonly group: string }
  | { readonly do: "set"; readonly name: string; readonly setting: string; readonly value: string }
  | { readonly do: "reset"; readonly name: string; readonly setting: string };

/** What happens to a role that is removed from the list. */
export type OnRemoval = "disable-login" | "drop";

function attributesDiffer(state: RoleState, role: Role): boolean {
  return (
    state.login !== role.login ||
    state.connectionLimit !== role.connectionLimit ||
    state.createDatabase !== role.createDatabase ||
    state.createRole !== role.createRole ||
    // Never granted: each of them gives access to all data.
    state.superuser ||
    state.replication ||
    state.bypassRowSecurity
  );
}

/**
 * @param state the roles that exist, by name
 * @param before the previous declaration: only what was declared is revoked or reset
 */
export function planRoles(
  state: Readonly<Record<string, RoleState>>,
  wanted: readonly Role[],
  withPassword: readonly string[],
  before: readonly Role[],
  onRemoval: OnRemoval,
): readonly RoleStep[] {
  const attributes: RoleStep[] = [];
  const relations: RoleStep[] = [];
  for (const role of wanted) {
    const is = state[role.name];
    const was = before.find((other) => other.name === role.name);
    if (is === undefined) attributes.push({ do: "create", role });
    else if (attributesDiffer(is, role)) attributes.push({ do: "alter", role });
    if (withPassword.includes(role.name) && is?.passwordRight !== true)
      attributes.push({ do: "set-password", name: role.name });

    for (const group of role.memberOf) {
      if (!(is?.memberOf ?? []).includes(group)) relations.push({ do: "grant", name: role.name, group });
    }
    for (const group of was?.memberOf ?? []) {
      if (!role.memberOf.includes(group) && (is?.memberOf ?? []).includes(group)) {
        relations.push({ do: "revoke", name: role.name, group });
      }
    }
    for (const [setting, value] of Object.entries(role.settings)) {
      if (is?.settings[setting] !== value) relations.push({ do: "set", name: role.name, setting, value });
    }
    for (const setting of Object.keys(was?.settings ?? {})) {
      if (role.settings[setting] === undefined && is?.settings[setting] !== undefined) {
        relations.push({ do: "reset", name: role.name, setting });
      }
    }
  }
  const removed = before.filter((role) => !wanted.some((other) => other.name === role.name));
  const removals = removed.flatMap((role): RoleStep[] => {
    const is = state[role.name];
    if (is === undefined) return [];
    if (onRemoval === "drop") return [{ do: "drop", name: role.name }];
    return is.login ? [{ do: "disable-login", name: role.name }] : [];
  });
  // Roles first, because memberships refer to them.
  return [...attributes, ...relations, ...removals];
}

/** @param settingsOf by role; roles that do not exist are skipped */
export function planSettings(
  state: Readonly<Record<string, RoleState>>,
  settingsOf: Readonly<Record<string, Readonly<Record<string, string>>>>,
): readonly RoleStep[] {
  return Object.entries(settingsOf).flatMap(([name, settings]) => {
    const is = state[name];
    if (is === undefined) return [];
    return Object.entries(settings)
      .filter(([setting, value]) => is.settings[setting] !== value)
      .map(([setting, value]): RoleStep => ({ do: "set", name, setting, value }));
  });
}

/** A step as a progress line, without secrets. */
export function describeRoleStep(step: RoleStep): string {
  switch (step.do) {
    case "create":
    case "alter":
      return `${step.do} role ${step.role.name}`;
    case "set-password":
      return `set the password of ${step.name}`;
    case "drop":
      return `drop role ${step.name}`;
    case "disable-login":
      return `set NOLOGIN for ${step.name}, which is no longer declared; it keeps its objects`;
    case "grant":
      return `grant membership in ${step.group} to ${step.name}`;
    case "revoke":
      return `revoke membership in ${step.group} from ${step.name}`;
    case "set":
      return `set ${step.setting} = ${step.value} for ${step.name}`;
    case "reset":
      return `reset ${step.setting} for ${step.name}`;
  }
}
