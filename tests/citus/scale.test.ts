import { withCitus } from "../support/citus";
import { failures } from "../support/distributed";
import { inFailover } from "../support/promises";
import { docker } from "../support/stack";
import { note, report, settled, shards, sql, stack, underLoad, workers } from "./cluster";

(withCitus ? describe : describe.skip)("worker groups come and go under load (D3, D4)", () => {
  afterAll(() => report());

  const jobs = (): Promise<{ job: string; state: string }[]> =>
    sql("SELECT job_id AS job, state::text FROM pg_dist_background_job ORDER BY job_id");

  test("groups are added under load, by an up that is killed while shards move: the next one goes on with its job, and nothing fails (D3, F3)", async () => {
    stack.configure(workers(4));
    const before = await jobs();
    const loads = await underLoad(
      inFailover("Two worker groups are added, `up` killed while shards move"),
      async () => {
        expect(await stack.upKilledAt(/rebalance job \d+: [1-9]\d* of/)).toBe(true);
        expect(await jobs()).toHaveLength(before.length + 1);
        await stack.up();
      },
    );
    expect((await jobs()).slice(before.length)).toEqual([{ job: expect.any(String), state: "finished" }]);
    expect(failures(loads)).toEqual([]);
    await settled([1, 2, 3, 4]);
    const counts = Object.values(await shards());
    expect(counts).toHaveLength(4);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
  });

  test("a preview says what the database would move when groups leave, and changes nothing (F5)", async () => {
    const before = await shards();
    stack.configure(workers(2));
    const preview = await stack.preview();
    for (const group of [3, 4]) {
      expect(preview).toMatch(new RegExp(`worker group ${group} is drained of \\d+ shard\\(s\\)`));
      expect(preview).toMatch(
        new RegExp(
          `move \\d+ shard\\(s\\), .* from pg-citus-worker-${group}-\\d to pg-citus-worker-[12]-\\d`,
        ),
      );
    }
    expect(await shards()).toEqual(before);
    const marked = await sql(
      "SELECT 1 FROM pg_dist_node WHERE groupid > 0 AND noderole = 'primary' AND NOT shouldhaveshards",
    );
    expect(marked).toEqual([]);
  });

  test("groups that the others have no space for are refused, in the preview and by up, and nothing changes (F5)", async () => {
    const before = await shards();
    const members = await sql("SELECT * FROM pg_dist_node ORDER BY nodeid");
    const parameters = { "citus.desired_percent_disk_available_after_move": 99 };
    stack.configure({ ...workers(4), coordinator: { parameters } });
    await stack.up();
    stack.configure({ ...workers(2), coordinator: { parameters } });
    const refusal =
      /would receive .* and have .* left, less than the 99 % of citus.desired_percent_disk_available/;
    expect(await stack.preview()).toMatch(refusal);
    await expect(stack.up()).rejects.toThrow(/worker groups 3, 4 cannot be removed; nothing was changed/);
    expect(await shards()).toEqual(before);
    expect(await sql("SELECT * FROM pg_dist_node ORDER BY nodeid")).toEqual(members);
    stack.configure(workers(4));
    await stack.up();
  });

  test("an up that is killed at every step is finished by the next one; two groups leave under load (D4, F3)", async () => {
    stack.configure(workers(2));
    const moments = [
      /must not have shards any more/,
      /rebalance job \d+: \d+ of/,
      /group 3 has no shards/,
      /stop .*, a standby of the leaving group/,
      /remove .* from the cluster and stop it/,
      /group [34] was removed from the cluster/,
      /Container .*worker-[34]-\d.* delet/,
    ];
    const killed: boolean[] = [];
    const loads = await underLoad(
      inFailover("Two worker groups leave, `up` killed at seven steps on the way"),
      async () => {
        for (const moment of moments) killed.push(await stack.upKilledAt(moment));
        await stack.up();
      },
    );
    note(`up was killed at ${killed.filter(Boolean).length} of ${moments.length} steps of a scale-in`);
    // A step that a killed run had done already, and that is therefore not done again, kills nothing.
    expect(killed.filter(Boolean).length).toBeGreaterThanOrEqual(5);
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
    expect(Object.keys(await shards())).toEqual(["1", "2"]);
    const containers = await stack.containers();
    expect(containers.filter((name) => /worker-[34]/.test(name))).toEqual([]);
    for (const group of [3, 4])
      expect(await docker("volume", "ls", "--quiet", "--filter", `name=pg-citus-worker-${group}`)).toContain(
        `worker-${group}-0-data`,
      );
    const listed = await docker(
      "exec",
      stack.member("coordinator", 0),
      "patronictl",
      "list",
      "--format",
      "json",
    );
    expect(listed).not.toMatch(/worker-[34]/);
    await stack.preview("--expect-no-changes");
  });

  test("the number of a group that left is not used again, and nothing is touched (F6)", async () => {
    const before = await stack.containers();
    stack.configure(workers(3));
    await expect(stack.up()).rejects.toThrow(/workers\.groups = 3: 3 is the number of a removed group/);
    expect(await stack.containers()).toEqual(before);
    stack.configure(workers(2));
  });
});
