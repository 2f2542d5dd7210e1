import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { recordedState } from "../../../dynamic/recorded-state";
import { orDrift } from "../../../dynamic/drift";
import type { Session, SessionTarget } from "../session";
import { sqlState, withSession } from "../session";
import { checkPasswords, checkRoles } from "./check";
import { renewPools } from "../renew-pools";
import type { OnRemoval, Role, RoleState, RoleStep } from "./plan";
import { describeRoleStep, planRoles, planSettings } from "./plan";
import { matchesVerifier, scramVerifier } from "./scram";
import { readRolesStatement, roleStatement } from "./statements";
import { printProgress } from "../../../dynamic/progress";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const ROLES_PROVIDER_VERSION = 1;

export interface RolesInputs {
  readonly target: Omit<SessionTarget, "password">;
  /** The password of `target.user`. */
  readonly password: string;
  readonly roles: readonly Role[];
  /** By role. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Parameters of roles that are not declared here, by role. */
  readonly settingsOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly onRemoval: OnRemoval;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type RolesOutputs = RolesInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

type RoleRow = Omit<RoleState, "settings" | "passwordRight"> & {
  verifier: string | null;
  settings: string[];
};

/** Those of the named roles that exist. */
async function readRoles(
  session: Session,
  names: readonly string[],
  passwords: Readonly<Record<string, string>>,
): Promise<Record<string, RoleState>> {
  const rows = await session.query<RoleRow>(readRolesStatement(), [names]);
  return Object.fromEntries(
    rows.map(({ verifier, settings, ...row }) => {
      const wanted = passwords[row.name];
      const state: RoleState = {
        ...row,
        settings: Object.fromEntries(
          settings.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
        ),
        passwordRight: wanted === undefined ? undefined : matchesVerifier(wanted, verifier),
      };
      return [row.name, state];
    }),
  );
}

async function planFor(session: Session, inputs: RolesInputs, before: readonly Role[]) {
  const { settingsOf = {} } = inputs;
  const declared = [...inputs.roles, ...before].map((role) => role.name);
  const names = [...new Set([...declared, ...Object.keys(settingsOf)])];
  const state = await readRoles(session, names, inputs.passwords);
  return {
    state,
    steps: [
      ...planRoles(state, inputs.roles, Object.keys(inputs.passwords), before, inputs.onRemoval),
      ...planSettings(state, settingsOf),
    ],
  };
}

async function execute(
  session: Session,
  step: RoleStep,
  passwords: Readonly<Record<string, string>>,
): Promise<void> {
  const statement = roleStatement(step, (name) => scramVerifier(passwords[name] ?? ""));
  try {
    printProgress(describeRoleStep(step));
    await session.query(statement);
  } catch (error) {
    // 2BP01 dependent_objects_still_exist: the role owns objects or has privileges. Data are never dropped.
    if (step.do === "drop" && sqlState(error) === "2BP01") {
      printProgress(`role ${step.name} owns objects or has privileges, so it is kept, with NOLOGIN`);
      await session.query(roleStatement({ do: "disable-login", name: step.name }, () => ""));
      return;
    }
    throw error;
  }
}

async function reconcile(inputs: RolesInputs, before: readonly Role[]): Promise<RolesOutputs> {
  // Outside of `use`: if the session breaks, the next one finds the changes of the first one already made.
  let changed = false;
  await withSession(
    { ...inputs.target, password: inputs.password },
    async (session) => {
      const { steps } = await planFor(session, inputs, before);
      for (const step of steps) {
        changed = true;
        await execute(session, step, inputs.passwords);
      }
      if (changed) await renewPools(session, "roles have changed");
    },
    { deadlineSeconds: inputs.deadlineSeconds, secretive: true },
  );
  return { ...inputs, drift: [] };
}

export const rolesProvider: dynamic.ResourceProvider<RolesInputs, RolesOutputs> = {
  check: (_olds, news) =>
    Promise.resolve({
      inputs: news,
      failures: [...checkRoles(news.roles), ...checkPasswords(news.passwords)],
    }),

  diff(_id, olds, news) {
    const names = ["target", "password", "roles", "passwords", "settingsOf", "onRemoval", "providerVersion"];
    const changes = changedInputs(olds, news, names).changed.length > 0 || olds.drift.length > 0;
    return Promise.resolve({ changes, replaces: [] });
  },

  async create(inputs) {
    return { id: "roles", outs: await reconcile(inputs, []) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    return orDrift(id, recorded, async () => {
      const { state, steps } = await withSession(
        { ...recorded.target, password: recorded.password },
        (session) => planFor(session, recorded, []),
        { deadlineSeconds: 15, secretive: true },
      );
      // A server that has none of the roles is a new one.
      if (recorded.roles.length > 0 && recorded.roles.every(({ name }) => state[name] === undefined))
        return {};
      return { id, props: { ...recorded, drift: steps.map((step) => describeRoleStep(step)) } };
    });
  },

  async update(_id, olds, news) {
    return { outs: await reconcile(news, olds.roles) };
  },

  delete(_id, props) {
    const names = props.roles.map((role) => role.name).join(", ");
    printProgress(`roles are kept in the database, with their objects: ${names}`);
    return Promise.resolve();
  },
};
