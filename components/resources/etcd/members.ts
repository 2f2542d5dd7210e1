import { printProgress } from "../../dynamic/progress";
import { waitUntil } from "../../dynamic/wait-until";
import { type Gateway, must, withGateway } from "./gateway";
import { type Cluster, findHealthyMember, rootToken } from "./reconcile";

export interface EtcdMembers extends Cluster {
  readonly rootPassword: string;
}

/** Which members there are to be, for members that find themselves without data or without membership (`etcd-start`). */
export const DECLARED_MEMBERS_KEY = "/postgres-cluster/etcd-members";

/** As etcd lists it. */
export interface ListedMember {
  readonly ID: string;
  /** Empty for one that was added and never ran. */
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

/** The members that etcd counts and nobody declared. A member that never ran has no name, but a peer URL. */
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

/** Its name, or what else is known of one that never ran. */
export const memberLabel = ({ name, peerURLs = [], ID }: ListedMember): string =>
  name === undefined || name === "" ? (peerURLs[0] ?? ID) : name;

/** Names of the members that etcd counts and nobody declared. */
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
 * Writes down who is to be a member and removes everybody else, one at a time, each when a majority of the rest answers. etcd itself
 * refuses what would leave it without one.
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
        // First, so that nobody who is removed comes again.
        await must(
          gateway,
          "/v3/kv/put",
          { key: base64(DECLARED_MEMBERS_KEY), value: base64(JSON.stringify(names)) },
          token,
        );
        const [leaving] = undeclared(await listMembers(gateway, token), wanted.members);
        if (leaving === undefined) return { done: true, value: undefined };
        printProgress(`etcd: removed member ${memberLabel(leaving)}`);
        await must(gateway, "/v3/cluster/member/remove", { ID: leaving.ID }, token);
        return { done: false, why: `${memberLabel(leaving)} was removed, and the others go on` };
      });
    },
  );
}
