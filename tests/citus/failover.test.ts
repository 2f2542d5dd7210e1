import { withCitus } from "../support/citus";
import { failures } from "../support/distributed";
import * as faults from "../support/faults";
import { docker } from "../support/stack";
import { coordinatorLeader, leaderOf, nodes, report, settled, sqlIn, stack, underLoad } from "./cluster";

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
    ["a worker's switchover", 1, undefined],
    ["a worker's switchover after a row was made again by hand", 1, makeRowAgain],
    ["the coordinators' switchover", 0, undefined],
  ])("%s breaks no query", async (name, group, before) => {
    const leader = group === 0 ? await coordinatorLeader() : await leaderOf(group);
    await before?.(leader);
    const loads = await underLoad(name, () =>
      docker(
        ...["exec", leader, "patronictl", "switchover"],
        ...["--group", String(group), "--leader", leader, "--force"],
      ),
    );
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
  });

  describe.each([
    ["a worker group", () => leaderOf(1)],
    ["the coordinators", coordinatorLeader],
  ])("the leader of %s fails: nothing acknowledged is lost (D2, D8)", (whose, findLeader) => {
    test("postmaster SIGKILL", async () => {
      const leader = await findLeader();
      await underLoad(`${whose}: postmaster SIGKILL`, () => faults.killPostmaster(leader));
      await settled([1, 2]);
    });

    test("container killed and started again", async () => {
      const leader = await findLeader();
      await underLoad(`${whose}: container killed, started`, async () => {
        await faults.kill(leader);
        await faults.start(leader);
      });
      await faults.healthy(leader);
      await settled([1, 2]);
    });

    test("container killed for good", async () => {
      const leader = await findLeader();
      await underLoad(
        `${whose}: container killed for good`,
        () => faults.kill(leader),
        () => faults.start(leader),
      );
      await faults.healthy(leader);
      await settled([1, 2]);
    });
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
