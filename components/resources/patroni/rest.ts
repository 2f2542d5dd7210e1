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
  /** The name that its certificate carries. */
  readonly serverName: string;
}

export interface RestTarget {
  readonly members: readonly RestMember[];
  /** PEM of the authority that signed the members' certificates; no other is trusted. */
  readonly ca: string;
  /** For the requests that change something. */
  readonly username: string;
  readonly password: string;
}

/** Where resources reach Patroni's REST APIs, and as whom. */
export interface RestArgs {
  /** Every member of the cluster. */
  readonly members: readonly RestMember[];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: Input<string>;
  /** For the requests that change something. */
  readonly username: string;
  readonly password: Input<string>;
}

/** The REST APIs of a cluster's members. */
export interface PatroniRest {
  readonly members: readonly string[];
  /** Sends to one member. Credentials go with what changes something, and nowhere else. */
  send(member: string, request: HttpsRequest): Promise<HttpsAnswer>;
  /** Sends to the first member that answers at all. Fails with every member's reason. */
  sendToAny(request: HttpsRequest): Promise<HttpsAnswer>;
}

/** Lets `use` speak to the members' REST APIs; ways are opened when they are needed and closed whatever happens. */
export async function withPatroni<T>(target: RestTarget, use: (rest: PatroniRest) => Promise<T>): Promise<T> {
  const clients = new Map<string, Promise<HttpsClient>>();
  const authorization = `Basic ${Buffer.from(`${target.username}:${target.password}`, "utf8").toString("base64")}`;
  const clientOf = (name: string): Promise<HttpsClient> => {
    const known = clients.get(name);
    if (known !== undefined) return known;
    const member = target.members.find((other) => other.name === name);
    if (member === undefined)
      throw new Error(`there is no member "${name}": ${target.members.map((m) => m.name).join(", ")}`);
    const opening = openHttps({ ...member, ca: target.ca });
    clients.set(name, opening);
    // A member that does not run yet may run the next time.
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

/** Patroni does not take the credentials of a request. Nothing is gained by sending them again, unless members are still to learn of them. */
export const refusedCredentials = (): Error =>
  Object.assign(permanent("Patroni rejects the REST API's user name or password"), { refused: true });

/**
 * As `withPatroni`, where members may learn of a new password only later: each one is tried, again and again until the deadline. `use` begins
 * anew with each, as soon as it has thrown `refusedCredentials`.
 */
export async function withPatroniByAny(
  target: RestTarget,
  former: readonly string[],
  deadlineSeconds: number,
  use: (rest: PatroniRest) => Promise<void>,
): Promise<void> {
  const passwords = new Set([target.password, ...former]);
  const failed = await waitUntil<Error | undefined>(
    { what: "Patroni takes the REST API's password", deadlineSeconds },
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
