import { withCitus } from "../support/citus";
import { failures } from "../support/distributed";
import * as faults from "../support/faults";
import { inFailover } from "../support/promises";
import { eventually } from "../support/stack";
import {
  coordinatorLeader,
  leaderOf,
  nodes,
  note,
  report,
  settled,
  sqlIn,
  stack,
  underLoad,
} from "./cluster";

/** Patroni's `ttl`. */
const LEASE_MS = 20_000;

(withCitus ? describe : describe.skip)("leaders of a distributed database change and fail (D2, D8)", () => {
  afterAll(() => report());

  /** The standby's row of group 1 gets another id, which nobody tells Patroni. */
  async function makeRowAgain(leader: string): Promise<void> {
    const standby =
      (await nodes()).find(({ group, role }) => group === 1 && role === "secondary")?.host ?? "";
    const coordinator = await coordinatorLeader();
    await sqlIn(coordinator, `SELECT citus_remove_node('${standby}', 5432)`);
    await sqlIn(coordinator, `SELECT citus_add_secondary_node('${standby}', 5432, '${leader}', 5432)`);
  }

  test.each([
    { promised: inFailover("A worker's switchover"), group: 1, before: undefined },
    {
      promised: inFailover("The same after somebody removed and added its standby's row by hand"),
      ...{ group: 1, before: makeRowAgain },
    },
    { promised: inFailover("The coordinators' switchover"), group: 0, before: undefined },
  ])("$promised.row breaks no query", async ({ promised, group, before }) => {
    const leader = group === 0 ? await coordinatorLeader() : await leaderOf(group);
    await before?.(leader);
    const loads = await underLoad(promised, () => faults.switchover(leader, group));
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
  });

  describe.each([
    {
      ...{ whose: "a worker group", findLeader: () => leaderOf(1) },
      postmaster: inFailover("A worker's postmaster is killed"),
      again: inFailover("A worker's container is killed and started again"),
      forGood: inFailover("A worker's container is killed for good"),
    },
    {
      ...{ whose: "the coordinators", findLeader: coordinatorLeader },
      postmaster: inFailover("The coordinators' postmaster is killed"),
      again: inFailover("The coordinators' container is killed and started again (beside another suite)"),
      forGood: inFailover("The coordinators' container is killed for good"),
    },
  ])("the leader of $whose fails: nothing acknowledged is lost (D2, D8)", (each) => {
    const { findLeader, postmaster, again, forGood } = each;
    test("postmaster SIGKILL", async () => {
      const leader = await findLeader();
      await underLoad(postmaster, () => faults.killPostmaster(leader));
      await settled([1, 2]);
    });

    test("container killed and started again", async () => {
      const leader = await findLeader();
      await underLoad(again, async () => {
        await faults.kill(leader);
        await faults.start(leader);
      });
      await faults.healthy(leader);
      await settled([1, 2]);
    });

    test("container killed for good", async () => {
      const leader = await findLeader();
      await underLoad(
        forGood,
        () => faults.kill(leader),
        () => faults.start(leader),
      );
      await faults.healthy(leader);
      await settled([1, 2]);
    });
  });

  test("a worker group stops as a whole, and nobody succeeds: the list of nodes can be changed again, and the group comes back (D2, H1)", async () => {
    const leader = await leaderOf(2);
    const members = [0, 1].map((index) => stack.member("worker-2", index));
    const held = async (): Promise<string> =>
      sqlIn(
        await coordinatorLeader(),
        "SELECT count(*) FROM pg_locks WHERE relation = 'pg_dist_node'::regclass AND mode = 'ExclusiveLock' AND granted",
      );
    expect(await held()).toBe("0");
    try {
      for (const member of members) if (member !== leader) await faults.stop(member);
      await faults.stop(leader);
      // Patroni keeps it for a successor.
      expect(await held()).toBe("1");
      const stopped = performance.now();
      await eventually("nobody has a lock on the list of nodes", 3 * LEASE_MS, async () => {
        if ((await held()) !== "0") throw new Error("a lock is held");
      });
      note(
        `a worker group stopped as a whole: nodes can be changed after ${Math.round(performance.now() - stopped)} ms`,
      );
    } finally {
      for (const member of members) await faults.start(member);
    }
    for (const member of members) await faults.healthy(member);
    await settled([1, 2]);
  });

  test("members that were restarted still connect to themselves, so that shards can be moved (D3)", async () => {
    for (const member of [0, 1, 2].map((index) => stack.member("coordinator", index)))
      expect(await sqlIn(member, "SHOW citus.local_hostname")).toBe("/run/postgresql");
    const move = async (from: number, to: number): Promise<void> => {
      const shard = await sqlIn(
        await coordinatorLeader(),
        `SELECT min(shardid) FROM pg_dist_placement JOIN pg_dist_shard USING (shardid) WHERE logicalrelid = 'accounts'::regclass AND groupid = ${from}`,
      );
      const place = `SELECT shardid || ' in group ' || groupid FROM pg_dist_placement WHERE shardid = ${shard}`;
      expect(await sqlIn(await coordinatorLeader(), place)).toBe(`${shard} in group ${from}`);
      const [source, target] = [await leaderOf(from), await leaderOf(to)];
      await sqlIn(
        await coordinatorLeader(),
        `SELECT citus_move_shard_placement(${shard}, '${source}', 5432, '${target}', 5432)`,
      );
      expect(await sqlIn(await coordinatorLeader(), place)).toBe(`${shard} in group ${to}`);
    };
    await move(1, 2);
    await move(2, 1);
  });
});
