import { printProgress } from "../../dynamic/progress";
import { waitUntil } from "../../dynamic/wait-until";
import { type Gateway, must, withGateway } from "./gateway";
import { type Cluster, findHealthyMember, rootToken } from "./reconcile";

export interface EtcdMembers extends Cluster {
  readonly rootPassword: string;
}

/** The declared members, read by members that start without data or are not in the member list (`etcd-start`). */
export const DECLARED_MEMBERS_KEY = "/postgres-cluster/etcd-members";

/** An entry of etcd's member list. */
export interface ListedMember {
  readonly ID: string;
  /** Empty for a member that was added but has never started. */
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

/** Undeclared members in etcd's member list. Matched by peer URL, because a member that has never started has no name. */
export const undeclared = (
  listed: readonly ListedMember[],
  declared: readonly { readonly serverName: string }[],
): readonly ListedMember[] =>
  listed.filter(
    ({ peerURLs = [] }) =>
      !peerURLs.some((url) => declared.some(({ serverName }) => new URL(url).hostname === serverName)),
  );

const listMembers = async (gateway: Gateway, token: string | undefined): Promise<readonly ListedMember[]> =>
  (
    (await must(gateway, "/v3/cluster/member/list", { linearizable: true }, token)) as {
      readonly members?: readonly ListedMember[];
    }
  ).members ?? [];

/** The member's name, or else its peer URL or ID. */
export const memberLabel = ({ name, peerURLs = [], ID }: ListedMember): string =>
  name === undefined || name === "" ? (peerURLs[0] ?? ID) : name;

/** Names of the undeclared members in etcd's member list. */
export async function strangers(cluster: EtcdMembers): Promise<readonly string[]> {
  const member = await findHealthyMember(cluster, 0);
  return withGateway({ ...member, ca: cluster.ca }, async (gateway) => {
    const token = await rootToken(gateway, [cluster.rootPassword]);
    return undeclared(await listMembers(gateway, token), cluster.members)
      .map(memberLabel)
      .sort();
  });
}

/**
 * Stores the list of declared members and removes all others, one at a time, each when a majority of the rest answers. etcd itself rejects a
 * removal that would lose the quorum.
 */
export async function declareMembers(
  wanted: EtcdMembers & { readonly deadlineSeconds: number },
  passwordBefore: string | undefined,
): Promise<void> {
  const passwords = [wanted.rootPassword, ...(passwordBefore === undefined ? [] : [passwordBefore])];
  await waitUntil(
    { what: "etcd has the declared members and no others", deadlineSeconds: wanted.deadlineSeconds },
    async () => {
      const member = await findHealthyMember(wanted, 0);
      return withGateway({ ...member, ca: wanted.ca }, async (gateway) => {
        const token = await rootToken(gateway, passwords);
        const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
        const names = wanted.members.map(({ name }) => name);
        // First, so that a removed member does not join again.
        await must(
          gateway,
          "/v3/kv/put",
          { key: base64(DECLARED_MEMBERS_KEY), value: base64(JSON.stringify(names)) },
          token,
        );
        const [leaving] = undeclared(await listMembers(gateway, token), wanted.members);
        if (leaving === undefined) return { done: true, value: undefined };
        printProgress(`etcd: remove member ${memberLabel(leaving)}`);
        await must(gateway, "/v3/cluster/member/remove", { ID: leaving.ID }, token);
        return { done: false, why: `${memberLabel(leaving)} was removed; checking the others` };
      });
    },
  );
}
