import { withHttps } from "../../reach/https-client";
import { permanent, waitUntil } from "../../dynamic/wait-until";
import type { Reach } from "../../reach/reach";
import type { Gateway } from "./gateway";
import {
  executeStep,
  isHealthy,
  isRefusal,
  logIn,
  mayWrite,
  readAuthentication,
  withGateway,
} from "./gateway";
import type { Scope } from "./plan";
import { describeStep, planAuthentication } from "./plan";
import { printProgress } from "../../dynamic/progress";
import { reasonOf } from "../../dynamic/reason";

export interface ClusterMember {
  readonly name: string;
  readonly reach: Reach;
  /** The name in its certificate. */
  readonly serverName: string;
}

interface Credentials {
  readonly rootPassword: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly scopes: readonly Scope[];
}

export interface Cluster {
  readonly members: readonly ClusterMember[];
  readonly ca: string;
}

/** The first member that can reach a majority. */
export async function findHealthyMember(cluster: Cluster, deadlineSeconds: number): Promise<ClusterMember> {
  return waitUntil({ what: "a majority of etcd's members answers", deadlineSeconds }, async () => {
    const failures: string[] = [];
    for (const member of cluster.members) {
      try {
        const problem = await withHttps({ ...member, ca: cluster.ca }, (send) => isHealthy(send));
        if (problem === undefined) return { done: true as const, value: member };
        failures.push(`${member.name}: ${problem}`);
      } catch (error) {
        failures.push(`${member.name}: ${reasonOf(error)}`);
      }
    }
    return { done: false as const, why: failures.join("; ") };
  });
}

/** The token of `root`; undefined if authentication is disabled. Tries the passwords in order: the new one, then former ones. */
export async function rootToken(gateway: Gateway, passwords: readonly string[]): Promise<string | undefined> {
  for (const password of passwords) {
    const login = await logIn(gateway, "root", password);
    if (login.result === "ok") return login.token;
    if (login.result === "not-enabled") return undefined;
  }
  throw permanent(
    "etcd rejects the password of root, so its data volumes belong to another stack or state. " +
      "Restore the state that created them, or back up Patroni's dynamic configuration and delete etcd's volumes",
  );
}

async function usersWithRightPassword(
  gateway: Gateway,
  passwords: Readonly<Record<string, string>>,
): Promise<string[]> {
  const right: string[] = [];
  for (const [user, password] of Object.entries(passwords)) {
    if ((await logIn(gateway, user, password)).result === "ok") right.push(user);
  }
  return right;
}

interface Wanted extends Cluster, Credentials {
  readonly deadlineSeconds: number;
  readonly formerRootPassword?: string;
  readonly retired?: readonly string[];
}

/**
 * Changes users, roles, permissions and passwords to the declared ones, and verifies that each scope is restricted to its keys. If etcd stops
 * answering meanwhile or loses its leader, the remaining steps are planned again.
 */
export async function reconcileAuthentication(
  wanted: Wanted,
  before: Partial<Credentials> | undefined,
): Promise<void> {
  const { deadlineSeconds } = wanted;
  await waitUntil({ what: "etcd has the declared users and permissions", deadlineSeconds }, async () => {
    const member = await findHealthyMember(wanted, 0);
    await reconcileOn(member, wanted, before).catch((error: unknown) => {
      throw isRefusal(error) ? permanent((error as Error).message) : error;
    });
    return { done: true as const, value: undefined };
  });
}

async function reconcileOn(
  member: ClusterMember,
  wanted: Wanted,
  before: Partial<Credentials> | undefined,
): Promise<void> {
  const passwords: Readonly<Record<string, string>> = { ...wanted.passwords, root: wanted.rootPassword };
  await withGateway({ ...member, ca: wanted.ca }, async (gateway) => {
    const known = [wanted.rootPassword, before?.rootPassword, wanted.formerRootPassword];
    const token = await rootToken(
      gateway,
      known.filter((password) => password !== undefined),
    );
    const state = {
      enabled: token !== undefined,
      passwordsRight: token === undefined ? [] : await usersWithRightPassword(gateway, passwords),
      ...(await readAuthentication(gateway, token)),
    };
    // The password of root last, because changing it invalidates the token.
    const retired = (wanted.retired ?? []).map((user) => ({ user, prefix: "" }));
    const steps = planAuthentication(state, wanted.scopes, [...(before?.scopes ?? []), ...retired]);
    const isLast = (step: (typeof steps)[number]) =>
      step.do === "set-password" && step.user === "root" && token !== undefined;
    for (const step of [...steps.filter((s) => !isLast(s)), ...steps.filter(isLast)]) {
      printProgress(`etcd: ${describeStep(step)}`);
      await executeStep(gateway, step, passwords, token);
    }
    for (const scope of wanted.scopes) await proveScope(gateway, scope, passwords[scope.user] ?? "");
  });
}

/** Verifies that a scope's user can write its own keys and no others. */
async function proveScope(gateway: Gateway, scope: Scope, password: string): Promise<void> {
  const login = await logIn(gateway, scope.user, password);
  if (login.result !== "ok") throw permanent(`etcd: user ${scope.user} cannot log in (${login.result})`);
  if (!(await mayWrite(gateway, `${scope.prefix}permission-check`, login.token))) {
    throw permanent(
      `etcd: user ${scope.user} has no permission to write its own keys, with prefix ${scope.prefix}`,
    );
  }
  for (const foreign of [`${scope.prefix.slice(0, -1)}-elsewhere/permission-check`, "permission-check"]) {
    if (await mayWrite(gateway, foreign, login.token)) {
      throw permanent(
        `etcd: user ${scope.user} has permission to write ${foreign}, outside its prefix ${scope.prefix}`,
      );
    }
  }
}

/** The current state, for a refresh. Fails if etcd cannot be reached, because an outage does not mean that something was deleted. */
export async function inspectAuthentication(
  recorded: Cluster & Credentials,
): Promise<{ readonly enabled: boolean; readonly drift: readonly string[] }> {
  const member = await findHealthyMember(recorded, 10);
  const passwords = { ...recorded.passwords, root: recorded.rootPassword };
  return withGateway({ ...member, ca: recorded.ca }, async (gateway) => {
    const token = await rootToken(gateway, [recorded.rootPassword]);
    if (token === undefined) return { enabled: false, drift: [] };
    const state = { enabled: true, passwordsRight: await usersWithRightPassword(gateway, passwords) };
    const steps = planAuthentication(
      { ...state, ...(await readAuthentication(gateway, token)) },
      recorded.scopes,
      [],
    );
    return { enabled: true, drift: steps.map((step) => describeStep(step)) };
  });
}
