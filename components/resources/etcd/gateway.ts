import type { HttpsAnswer, HttpsServer, SendHttps } from "../../reach/https-client";
import { withHttps } from "../../reach/https-client";
import type { AuthenticationState, AuthenticationStep, Permission } from "./plan";

/** etcd's v3 API through its JSON gateway: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/ */

export interface GatewayError {
  /** gRPC status code: https://grpc.io/docs/guides/status-codes/ */
  readonly code: number;
  readonly message: string;
}

/**
 * Codes that do not concern the request: deadline exceeded (4), no leader or majority (14), or the member is stopping and its gateway has lost
 * the server behind it (1 cancelled, 2 unknown, 13 internal). With all others etcd rejects the request.
 */
const NO_ANSWER: readonly number[] = [1, 2, 4, 13, 14];

export type GatewayAnswer =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly error: GatewayError };

/** A connection to one member. */
export interface Gateway {
  call(path: string, body: object, token?: string): Promise<GatewayAnswer>;
}

/** Throws if the answer cannot be from etcd, or is incomplete. */
export function answerOf(path: string, answer: Pick<HttpsAnswer, "status" | "json" | "text">): GatewayAnswer {
  const body = (answer.json ?? {}) as { code?: number; message?: string; error?: string };
  if (answer.status === 200 && answer.json !== undefined) return { ok: true, value: body };
  if (typeof body.code !== "number") {
    throw new Error(`etcd answered ${path} with status ${answer.status}: ${answer.text.trim()}`);
  }
  return { ok: false, error: { code: body.code, message: body.message ?? body.error ?? "" } };
}

export async function withGateway<T>(server: HttpsServer, use: (gateway: Gateway) => Promise<T>): Promise<T> {
  return withHttps(server, (send) =>
    use({
      async call(path, body, token) {
        const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
        // etcd hashes passwords with bcrypt, which takes a second on a busy machine.
        return answerOf(path, await send({ method: "POST", path, body, headers, timeoutMs: 10_000 }));
      },
    }),
  );
}

/** Why a member cannot reach a majority; undefined if it can. `/health` needs no login and does a linearizable read. */
export async function isHealthy(send: SendHttps): Promise<string | undefined> {
  const answer = await send({ method: "GET", path: "/health" });
  const health = (answer.json as { health?: string; reason?: string } | undefined) ?? {};
  if (answer.status === 200 && health.health === "true") return undefined;
  return health.reason || `status ${answer.status}`;
}

/** An error of a call. `refused`: etcd rejected the request, so a retry does not help. */
const refused = (what: string, { code, message }: GatewayError): Error =>
  Object.assign(new Error(`${what}: ${message}`), { refused: !NO_ANSWER.includes(code) });

/** Whether etcd rejected the request, as opposed to being unreachable. */
export const isRefusal = (error: unknown): boolean => (error as { refused?: boolean }).refused === true;

/** The value of a call that has to succeed. */
export async function must(
  gateway: Gateway,
  path: string,
  body: object,
  token?: string,
): Promise<Record<string, unknown>> {
  const answer = await gateway.call(path, body, token);
  if (!answer.ok) throw refused(`etcd rejects ${path}`, answer.error);
  return answer.value;
}

export type Login =
  | { readonly result: "ok"; readonly token: string }
  | { readonly result: "wrong-password" }
  | { readonly result: "not-enabled" };

export async function logIn(gateway: Gateway, name: string, password: string): Promise<Login> {
  const answer = await gateway.call("/v3/auth/authenticate", { name, password });
  if (answer.ok) return { result: "ok", token: String(answer.value.token) };
  // The gateway uses the same code for all errors, so only etcd's message distinguishes them (api/v3rpc/rpctypes/error.go).
  if (answer.error.message.includes("authentication is not enabled")) return { result: "not-enabled" };
  if (answer.error.message.includes("authentication failed, invalid user ID or password"))
    return { result: "wrong-password" };
  throw refused(`etcd rejects the login of ${name}`, answer.error);
}

/** The current users and roles. */
export async function readAuthentication(
  gateway: Gateway,
  token: string | undefined,
): Promise<Pick<AuthenticationState, "users" | "roles">> {
  const users: Record<string, readonly string[]> = {};
  const roles: Record<string, readonly Permission[]> = {};
  const userList = (await must(gateway, "/v3/auth/user/list", {}, token)).users as string[] | undefined;
  for (const user of userList ?? []) {
    users[user] =
      ((await must(gateway, "/v3/auth/user/get", { name: user }, token)).roles as string[] | undefined) ?? [];
  }
  const roleList = (await must(gateway, "/v3/auth/role/list", {}, token)).roles as string[] | undefined;
  for (const role of roleList ?? []) {
    const answer = await must(gateway, "/v3/auth/role/get", { role }, token);
    const permissions =
      (answer.perm as { permType?: string; key?: string; range_end?: string }[] | undefined) ?? [];
    roles[role] = permissions.map((p) => ({
      // The gateway omits default values, and READ is the default.
      type: (p.permType ?? "READ") as Permission["type"],
      key: p.key ?? "",
      rangeEnd: p.range_end ?? "",
    }));
  }
  return { users, roles };
}

/** Executes one step of the plan. */
export async function executeStep(
  gateway: Gateway,
  step: AuthenticationStep,
  passwords: Readonly<Record<string, string>>,
  token: string | undefined,
): Promise<void> {
  switch (step.do) {
    case "add-role":
      await must(gateway, "/v3/auth/role/add", { name: step.role }, token);
      return;
    case "delete-role":
      await must(gateway, "/v3/auth/role/delete", { role: step.role }, token);
      return;
    case "grant": {
      const { type, key, rangeEnd } = step.permission;
      const perm = { permType: type, key, range_end: rangeEnd };
      await must(gateway, "/v3/auth/role/grant", { name: step.role, perm }, token);
      return;
    }
    case "revoke": {
      const { key, rangeEnd } = step.permission;
      await must(gateway, "/v3/auth/role/revoke", { role: step.role, key, range_end: rangeEnd }, token);
      return;
    }
    case "add-user":
      await must(gateway, "/v3/auth/user/add", { name: step.user, password: passwords[step.user] }, token);
      return;
    case "set-password":
      await must(
        gateway,
        "/v3/auth/user/changepw",
        { name: step.user, password: passwords[step.user] },
        token,
      );
      return;
    case "delete-user":
      await must(gateway, "/v3/auth/user/delete", { name: step.user }, token);
      return;
    case "grant-role":
      await must(gateway, "/v3/auth/user/grant", { user: step.user, role: step.role }, token);
      return;
    case "revoke-role":
      await must(gateway, "/v3/auth/user/revoke", { name: step.user, role: step.role }, token);
      return;
    case "enable":
      await must(gateway, "/v3/auth/enable", {}, token);
      return;
  }
}

/**
 * Whether the token's user may write `key`, without writing it: etcd checks the permissions of both branches of a transaction, and the branch
 * with the write is never executed, because no key's version is less than zero.
 */
export async function mayWrite(gateway: Gateway, key: string, token: string): Promise<boolean> {
  const encoded = Buffer.from(key, "utf8").toString("base64");
  const answer = await gateway.call(
    "/v3/kv/txn",
    {
      compare: [{ target: "VERSION", result: "LESS", key: encoded, version: "0" }],
      success: [{ request_put: { key: encoded, value: "" } }],
    },
    token,
  );
  if (answer.ok) return true;
  if (answer.error.code === 7 || answer.error.message.includes("permission denied")) return false;
  throw refused(`cannot determine whether ${key} may be written`, answer.error);
}
