import type { Input } from "@pulumi/pulumi";
import type { HttpsAnswer, HttpsClient, HttpsRequest } from "../../reach/https-client";
import { openHttps } from "../../reach/https-client";
import { permanent, waitUntil } from "../../dynamic/wait-until";
import type { Reach } from "../../reach/reach";
import { reasonOf } from "../../dynamic/reason";

/** Patroni's REST API: https://patroni.readthedocs.io/en/latest/rest_api.html */

export interface RestMember {
  readonly name: string;
  /** How this machine reaches its REST port. */
  readonly reach: Reach;
  /** The name in its certificate. */
  readonly serverName: string;
}

export interface RestTarget {
  readonly members: readonly RestMember[];
  /** PEM of the authority that signed the members' certificates; no other is trusted. */
  readonly ca: string;
  /** Only sent with requests that change something. */
  readonly username: string;
  readonly password: string;
}

/** How resources reach the members' Patroni REST APIs, and the credentials. */
export interface RestArgs {
  /** Every member of the cluster. */
  readonly members: readonly RestMember[];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: Input<string>;
  /** Only sent with requests that change something. */
  readonly username: string;
  readonly password: Input<string>;
}

/** The REST APIs of a cluster's members. */
export interface PatroniRest {
  readonly members: readonly string[];
  /** Sends a request to one member. Only requests that change something carry credentials. */
  send(member: string, request: HttpsRequest): Promise<HttpsAnswer>;
  /** Sends a request to the first member that answers. Fails with every member's error. */
  sendToAny(request: HttpsRequest): Promise<HttpsAnswer>;
}

/** Runs `use` with the members' REST APIs. Connections are opened on demand and always closed. */
export async function withPatroni<T>(target: RestTarget, use: (rest: PatroniRest) => Promise<T>): Promise<T> {
  const clients = new Map<string, Promise<HttpsClient>>();
  const authorization = `Basic ${Buffer.from(`${target.username}:${target.password}`, "utf8").toString("base64")}`;
  const clientOf = (name: string): Promise<HttpsClient> => {
    const known = clients.get(name);
    if (known !== undefined) return known;
    const member = target.members.find((other) => other.name === name);
    if (member === undefined)
      throw new Error(
        `there is no member "${name}"; the members are ${target.members.map((m) => m.name).join(", ")}`,
      );
    const opening = openHttps({ ...member, ca: target.ca });
    clients.set(name, opening);
    // A member that is not running yet may run at the next attempt.
    opening.catch(() => clients.delete(name));
    return opening;
  };
  const send = async (member: string, request: HttpsRequest): Promise<HttpsAnswer> => {
    const client = await clientOf(member);
    const safe = request.method === "GET" || request.method === "OPTIONS";
    return client.send(safe ? request : { ...request, headers: { ...request.headers, authorization } });
  };
  try {
    return await use({
      members: target.members.map((member) => member.name),
      send,
      async sendToAny(request) {
        const reasons: string[] = [];
        for (const { name } of target.members) {
          try {
            return await send(name, request);
          } catch (error) {
            reasons.push(`${name}: ${reasonOf(error)}`);
          }
        }
        throw new Error(reasons.join("; "));
      },
    });
  } finally {
    for (const client of await Promise.allSettled(clients.values())) {
      if (client.status === "fulfilled") await client.value.close();
    }
  }
}

/** Permanent, because retrying with the same credentials does not help, unless the members have yet to receive them. */
export const refusedCredentials = (): Error =>
  Object.assign(permanent("Patroni rejects the REST API's user name or password"), { refused: true });

/**
 * Like `withPatroni`, but for members that may not have received a new password yet: tries all passwords repeatedly until the deadline. If
 * `use` throws `refusedCredentials`, it runs again with the next password.
 */
export async function withPatroniByAny(
  target: RestTarget,
  former: readonly string[],
  deadlineSeconds: number,
  use: (rest: PatroniRest) => Promise<void>,
): Promise<void> {
  const passwords = new Set([target.password, ...former]);
  const failed = await waitUntil<Error | undefined>(
    { what: "Patroni accepts the REST API's password", deadlineSeconds },
    async () => {
      for (const password of passwords) {
        try {
          await withPatroni({ ...target, password }, use);
          return { done: true, value: undefined };
        } catch (error) {
          if ((error as { refused?: boolean }).refused !== true) return { done: true, value: error as Error };
        }
      }
      return { done: false, why: refusedCredentials().message };
    },
  );
  if (failed !== undefined) throw failed;
}
