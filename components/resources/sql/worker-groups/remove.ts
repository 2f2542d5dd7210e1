import { waitUntil } from "../../../dynamic/wait-until";
import { readConfiguration } from "../../patroni/apply";
import type { RestTarget } from "../../patroni/rest";
import { withPatroni } from "../../patroni/rest";
import type { Session, SessionTarget } from "../session";
import { sqlState, withSession } from "../session";
import { removalOrder } from "./plan";
import type { OnCoordinator } from "./reconcile";
import { readNodes, readShards } from "./reconcile";
import {
  markRemovedStatement,
  readPreparedStatement,
  readRecoveryIntervalStatement,
  readStandbyStatement,
  removeNodeStatement,
  settlePreparedStatement,
  stopMemberStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";

/** How to reach the members of a group. */
export interface GroupReach {
  readonly session: SessionTarget;
  readonly rest: RestTarget;
}

/**
 * Runs `use` on one member; undefined if it does not answer. A stopped member reads the group's configuration when it starts, so what is
 * disabled there stays disabled.
 */
async function onMember<T>(
  reach: GroupReach,
  name: string,
  use: (session: Session) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withSession({ ...reach.session, role: name }, use, { deadlineSeconds: 0 });
  } catch (error) {
    if (sqlState(error) !== undefined) throw error;
    return undefined;
  }
}

/** Verifies that the group has no shards, except those of reference tables, which every node has. */
export async function proveEmpty(on: OnCoordinator, group: number): Promise<void> {
  const left = (await on(readShards)).find((row) => row.group === group);
  if (left !== undefined) {
    throw new Error(
      `group ${group} still has ${left.shards} shard(s), so it was not removed. Run this again.`,
    );
  }
}

/**
 * A removed worker considers itself group 0, and its 2PC recovery would roll back prepared transactions of the real coordinator
 * (https://github.com/citusdata/citus/issues/8855). So the recovery is disabled first, and verified to be on every member.
 */
async function switchRecoveryOff(reach: GroupReach, deadlineSeconds: number): Promise<void> {
  await withPatroni(reach.rest, (rest) =>
    waitUntil({ what: "2PC recovery is disabled in the leaving group", deadlineSeconds }, async () => {
      const body = { postgresql: { parameters: { "citus.recover_2pc_interval": "-1" } } };
      const live = (await readConfiguration(rest)) as
        { readonly postgresql?: { readonly parameters?: Readonly<Record<string, unknown>> } } | undefined;
      if (live === undefined) return { done: false as const, why: "the group has no configuration" };
      if (String(live.postgresql?.parameters?.["citus.recover_2pc_interval"]) !== "-1") {
        const answer = await rest.sendToAny({ method: "PATCH", path: "/config", body });
        if (answer.status !== 200)
          return { done: false as const, why: `Patroni answers with status ${answer.status}` };
      }
      for (const { name } of reach.session.members) {
        const interval = await onMember(reach, name, async (session) => {
          const [row] = await session.query<{ interval: string }>(readRecoveryIntervalStatement());
          return row?.interval;
        });
        if (interval !== undefined && interval !== "-1")
          return { done: false as const, why: `citus.recover_2pc_interval of ${name} is still ${interval}` };
      }
      return { done: true as const, value: undefined };
    }),
  );
}

/** Commits or rolls back transactions that a failover left prepared in the group, as the coordinator decided. */
async function settle(on: OnCoordinator, reach: GroupReach, deadlineSeconds: number): Promise<void> {
  await waitUntil({ what: "the leaving group has no prepared transactions", deadlineSeconds }, async () => {
    await on((session) => session.query(settlePreparedStatement()));
    const left = await withSession(
      reach.session,
      (session) => session.query<{ gid: string }>(readPreparedStatement()),
      { deadlineSeconds: 10 },
    );
    return left.length === 0
      ? { done: true as const, value: undefined }
      : { done: false as const, why: left.map(({ gid }) => gid).join(", ") };
  });
}

/**
 * Marks the group's standbys as removed and stops them. Patroni on the coordinator then removes their rows. This must be complete before the
 * group is removed: Patroni would restore all its rows if the set of its running members changed afterwards.
 */
async function stopStandbys(
  on: OnCoordinator,
  group: number,
  reach: GroupReach,
  deadlineSeconds: number,
): Promise<void> {
  await waitUntil({ what: "the leaving group has no standbys", deadlineSeconds }, async () => {
    for (const { name } of reach.session.members) {
      await onMember(reach, name, async (session) => {
        const [row] = await session.query<{ standby: boolean }>(readStandbyStatement());
        if (row?.standby !== true) return;
        printProgress(`stop ${name}, a standby of the leaving group`);
        await session.query(markRemovedStatement());
        await session.query(stopMemberStatement());
      });
    }
    const left = removalOrder(group, await on(readNodes)).filter((node) => node.role !== "primary");
    return left.length === 0
      ? { done: true as const, value: undefined }
      : { done: false as const, why: `still registered: ${left.map(({ host }) => host).join(", ")}` };
  });
}

/** Seconds that the members of a leaving group may take to restart. */
const RESTART_SECONDS = 60;

/**
 * Waits until a member of the leaving group runs. Citus contacts every registered node before it moves shards and fails if one does not
 * answer, and it could not be verified that a stopped group leaves other nodes' transactions alone when it starts again.
 */
export async function awaitRunning(on: OnCoordinator, group: number, reach: GroupReach): Promise<void> {
  const remedy = async (): Promise<string> => {
    const rows = removalOrder(group, await on(readNodes));
    const byHand = rows.map(({ host, port }) => `SELECT citus_remove_node('${host}', ${port})`).join("; ");
    return (
      "Start them and run this again. If they can no longer start because they were marked as removed or their data are lost, " +
      `remove their rows on the coordinators' leader (make psql): ${byHand}`
    );
  };
  const what = `a member of the leaving group ${group} runs`;
  await waitUntil({ what, deadlineSeconds: RESTART_SECONDS, explain: remedy }, async () => {
    for (const { name } of reach.session.members)
      if ((await onMember(reach, name, () => Promise.resolve(true))) === true)
        return { done: true as const, value: undefined };
    return {
      done: false as const,
      why: `${reach.session.members.map(({ name }) => name).join(", ")}: no answer`,
    };
  });
}

/**
 * Removes an empty group from the cluster and stops it. After an interruption, the next run continues: each step checks the state first, and
 * the row of the group's leader, which identifies the leaving group, is removed last.
 */
export async function removeGroup(
  on: OnCoordinator,
  group: number,
  reach: GroupReach | undefined,
  deadlineSeconds: number,
): Promise<void> {
  await proveEmpty(on, group);
  if (reach === undefined) {
    throw new Error(
      `group ${group} is registered, but the state does not record how to reach its members, so it cannot be verified that they do not recover ` +
        "other nodes' transactions. Stop them, remove their rows with citus_remove_node on the coordinator, and run this again.",
    );
  }
  await settle(on, reach, deadlineSeconds);
  await switchRecoveryOff(reach, deadlineSeconds);
  await settle(on, reach, deadlineSeconds);
  await proveEmpty(on, group);
  printProgress(
    `group ${group} has no shards and no prepared transactions, and its 2PC recovery is disabled`,
  );
  await stopStandbys(on, group, reach, deadlineSeconds);
  await on(async (session) => {
    for (const { host, port } of removalOrder(group, await readNodes(session))) {
      printProgress(`remove ${host} from the cluster and stop it`);
      await session.query(removeNodeStatement(), [host, port]);
    }
  });
  // Only after the row is removed: if the group is kept after all, its leader must not refuse to start.
  for (const { name } of reach.session.members) {
    await onMember(reach, name, async (session) => {
      await session.query(markRemovedStatement());
      await session.query(stopMemberStatement());
    });
  }
  const names = reach.session.members.map(({ name }) => name).join(", ");
  printProgress(
    `group ${group} was removed from the cluster; the data volumes of ${names} are kept, but no longer needed`,
  );
}
