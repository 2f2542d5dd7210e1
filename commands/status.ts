import type { ClusterMember } from "../components/reach/cluster-members";
import type { Finding } from "../components/reach/finding";
import { findingLine } from "./doctor/doctor";
import { checkGuests } from "./doctor/guests";
import { messageOf } from "../components/dynamic/reason";
import { type Call, printJson } from "./call";
import { type Cluster, openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { type Group, groupsOf, isLeader, type PatroniMember, patroniMembers } from "./groups";
import { type Leaderless, leaderless } from "./leaderless";
import { endpointLines, stackOutputs, type StackOutputs } from "./outputs";
import { make } from "./stack";

/** The status of a group. */
export interface GroupStatus extends Group {
  readonly members: readonly PatroniMember[];
  /** Why it has no leader; absent if it has one. */
  readonly leaderless?: Leaderless;
}

/** Patroni's view of each group, and for groups without a leader the reason. */
export function groupStatuses(
  cluster: Cluster,
  members: readonly ClusterMember[],
): Promise<readonly GroupStatus[]> {
  const { stack } = cluster;
  return Promise.all(
    groupsOf(members).map(async (group) => {
      let unanswered: string | undefined;
      const known = await patroniMembers(cluster, group).catch((error: unknown) => {
        unanswered = messageOf(error);
        return [];
      });
      if (known.some(isLeader)) return { ...group, members: known };
      const why = await leaderless(cluster, group).catch(() => undefined);
      const unknown = {
        seen:
          unanswered === undefined
            ? "nobody leads, and etcd does not show why"
            : `no member reports the state of the group: ${unanswered}`,
        remedy: `run ${make(stack, "doctor")}`,
      };
      return { ...group, members: known, leaderless: why ?? unknown };
    }),
  );
}

/** Members, their roles and health, endpoints. */
export async function status(call: Call): Promise<number> {
  const { stack } = call;
  const cluster = await openCluster(stack);
  const members = await cluster.members();
  if (members.length === 0) {
    if (call.json) printJson({ cluster: cluster.name, members: [], groups: [] });
    else console.log(`The stack ${stack.name} is not up. Start it with ${make(stack, "up")}.`);
    return EXIT.wrong;
  }
  const [groups, guests, outputs] = await Promise.all([
    groupStatuses(cluster, members),
    checkGuests(cluster, members),
    // A user with access to the members may have no access to the state.
    stackOutputs(stack).catch((error: unknown) => messageOf(error)),
  ]);
  if (call.json)
    printJson(
      statusDocument(cluster.name, members, groups, {
        guests,
        ...(typeof outputs !== "string" && { outputs }),
      }),
    );
  else {
    console.log(statusLines(members, groups).join("\n"));
    if (guests.length > 0) console.log(`\n${guests.map(findingLine).join("\n")}`);
    if (typeof outputs === "string") console.log(`\nThe stack's outputs cannot be read: ${outputs}`);
    else {
      console.log(`\nCitus: ${outputs.citus}`);
      for (const [group, shards] of Object.entries(outputs.shards ?? {}))
        console.log(`worker group ${group}: ${shards} shards after the last up`);
      console.log(endpointLines(stack, outputs));
    }
  }
  return groups.every((group) => group.leaderless === undefined) ? EXIT.done : EXIT.wrong;
}

/** The document of `JSON=1`. */
export const statusDocument = (
  cluster: string,
  members: readonly ClusterMember[],
  groups: readonly GroupStatus[],
  { guests = [], outputs }: { readonly guests?: readonly Finding[]; readonly outputs?: StackOutputs } = {},
) => ({
  cluster,
  members,
  groups: groups.map(({ workload, number, members: known, leaderless: why }) => ({
    workload,
    ...(number !== undefined && { group: number }),
    leader: known.find(isLeader)?.Member ?? null,
    members: known.map((member) => ({
      name: member.Member,
      role: member.Role,
      state: member.State,
      timeline: member.TL ?? null,
      lagMegabytes: typeof member["Replay Lag"] === "number" ? member["Replay Lag"] : null,
      restartPending: Boolean(member["Pending restart"]),
    })),
    ...(why && { leaderless: why }),
  })),
  ...(guests.length > 0 && { guests }),
  ...(outputs && {
    endpoints: outputs.endpoints,
    database: outputs.database,
    citus: outputs.citus,
    ...(outputs.shards && { shards: outputs.shards }),
  }),
});

export function statusLines(
  members: readonly ClusterMember[],
  groups: readonly GroupStatus[],
): readonly string[] {
  const width = Math.max(...members.map(({ name }) => name.length));
  return [
    ...members.map(({ name, status: words }) => `${name.padEnd(width)}  ${words}`),
    "",
    ...groups.flatMap(({ members: known }) =>
      known.map((member) => {
        const lag = member["Replay Lag"] === undefined ? "" : `  lag ${member["Replay Lag"]} MB`;
        const restart = member["Pending restart"] ? "  RESTART PENDING" : "";
        return `${member.Member.padEnd(width)}  ${member.Role}, ${member.State}, timeline ${member.TL ?? "?"}${lag}${restart}`;
      }),
    ),
    ...groups.flatMap(({ workload, leaderless: why }) =>
      why === undefined ? [] : [`\n${workload}: ${why.seen}.\n  -> ${why.remedy}`],
    ),
  ];
}
