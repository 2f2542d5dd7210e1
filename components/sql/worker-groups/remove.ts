import { waitUntil } from "../../dynamic/wait-until";
import { readConfiguration } from "../../patroni/apply";
import type { RestTarget } from "../../patroni/rest";
import { withPatroni } from "../../patroni/rest";
import type { SessionTarget } from "../session";
import { withSession } from "../session";
import { removalOrder } from "./plan";
import type { OnCoordinator } from "./reconcile";
import { readNodes, readShards } from "./reconcile";
import {
  markRemovedStatement,
  readPreparedStatement,
  readRecoveryIntervalStatement,
  removeNodeStatement,
  settlePreparedStatement,
} from "./statements";

/** How the members of a group are reached. */
export interface GroupReach {
  readonly session: SessionTarget;
  readonly rest: RestTarget;
}

/** No shard but those of reference tables, which every node has. */
async function proveEmpty(on: OnCoordinator, group: number): Promise<void> {
  const left = (await on(readShards)).find((row) => row.group === group);
  if (left !== undefined) {
    throw new Error(`group ${group} still has ${left.shards} shard(s): it is not removed. Run it again.`);
  }
}

/**
 * Once it is no node any more, a worker takes itself for group 0, and its recovery of prepared transactions would roll back those of the
 * real coordinator (https://github.com/citusdata/citus/issues/8855). So it is switched off before, and proved to be off on every member.
 */
async function switchRecoveryOff(reach: GroupReach, deadlineSeconds: number): Promise<void> {
  await withPatroni(reach.rest, (rest) =>
    waitUntil({ what: "the leaving group settles no transactions any more", deadlineSeconds }, async () => {
      const body = { postgresql: { parameters: { "citus.recover_2pc_interval": "-1" } } };
      const live = (await readConfiguration(rest)) as
        { readonly postgresql?: { readonly parameters?: Readonly<Record<string, unknown>> } } | undefined;
      if (live === undefined) return { done: false as const, why: "the group has no configuration" };
      if (String(live.postgresql?.parameters?.["citus.recover_2pc_interval"]) !== "-1") {
        const answer = await rest.sendToAny({ method: "PATCH", path: "/config", body });
        if (answer.status !== 200) return { done: false as const, why: `Patroni answered ${answer.status}` };
      }
      for (const { name } of reach.session.members) {
        const [row] = await withSession(
          { ...reach.session, role: name },
          (session) => session.query<{ interval: string }>(readRecoveryIntervalStatement()),
          { deadlineSeconds: 0 },
        );
        if (row?.interval !== "-1")
          return { done: false as const, why: `${name} still has ${row?.interval ?? "?"}` };
      }
      return { done: true as const, value: undefined };
    }),
  );
}

/** Commits or rolls back what a failover left prepared on the group, as the coordinator has decided it. */
async function settle(on: OnCoordinator, reach: GroupReach, deadlineSeconds: number): Promise<void> {
  await waitUntil({ what: "the leaving group has no prepared transaction", deadlineSeconds }, async () => {
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
 * Takes an empty group out of the cluster. Interrupted anywhere, it does the rest the next time: each step looks first, and the rows of
 * the group, by which it is known to be leaving, go last.
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
      `group ${group} is registered, but nothing is recorded of how to reach its members, so nobody can prove that they will leave ` +
        "others' transactions alone. Stop them, and remove their rows by citus_remove_node on the coordinator.",
    );
  }
  await settle(on, reach, deadlineSeconds);
  await switchRecoveryOff(reach, deadlineSeconds);
  await settle(on, reach, deadlineSeconds);
  await proveEmpty(on, group);
  for (const { name } of reach.session.members) {
    await withSession({ ...reach.session, role: name }, (session) => session.query(markRemovedStatement()), {
      deadlineSeconds,
    });
  }
  await on(async (session) => {
    for (const { host, port } of removalOrder(group, await readNodes(session))) {
      console.log(`remove ${host} from the cluster`);
      await session.query(removeNodeStatement(), [host, port]);
    }
  });
  const names = reach.session.members.map(({ name }) => name).join(", ");
  console.log(
    `group ${group} has left the cluster; the data volumes of ${names} stay, and nothing in them is needed any more`,
  );
}
