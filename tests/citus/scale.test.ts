import { withCitus } from "../support/citus";
import { docker } from "../support/stack";
import { failures, note, report, settled, shards, sql, stack, underLoad, workers } from "./cluster";

(withCitus ? describe : describe.skip)("worker groups come and go under load (D3, D4)", () => {
  afterAll(() => report());

  test("a group is added under load: shards are spread, nothing fails (D3)", async () => {
    stack.configure(workers(3));
    const loads = await underLoad("scale-out 2 to 3 groups", () => stack.up());
    expect(failures(loads)).toEqual([]);
    await settled([1, 2, 3]);
    const counts = Object.values(await shards());
    expect(counts).toHaveLength(3);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
  });

  test("a preview says what the database would move when a group leaves, and changes nothing (F5)", async () => {
    const before = await shards();
    stack.configure(workers(2));
    const preview = await stack.preview();
    expect(preview).toMatch(/worker group 3 is drained of \d+ shard\(s\)/);
    expect(preview).toMatch(/move \d+ shard\(s\), .* from pg-citus-worker-3-\d to pg-citus-worker-[12]-\d/);
    expect(await shards()).toEqual(before);
    const marked = await sql(
      "SELECT 1 FROM pg_dist_node WHERE groupid > 0 AND noderole = 'primary' AND NOT shouldhaveshards",
    );
    expect(marked).toEqual([]);
  });

  test("a group that the others have no space for is refused, in the preview and by up, and nothing changes (F5)", async () => {
    const before = await shards();
    const members = await sql("SELECT * FROM pg_dist_node ORDER BY nodeid");
    const parameters = { "citus.desired_percent_disk_available_after_move": 99 };
    stack.configure({ ...workers(3), coordinator: { parameters } });
    await stack.up();
    stack.configure({ ...workers(2), coordinator: { parameters } });
    const refusal =
      /would take .* and have .* left, less than the 99 % of citus.desired_percent_disk_available/;
    expect(await stack.preview()).toMatch(refusal);
    await expect(stack.up()).rejects.toThrow(/worker groups 3 cannot leave, and nothing was changed/);
    expect(await shards()).toEqual(before);
    expect(await sql("SELECT * FROM pg_dist_node ORDER BY nodeid")).toEqual(members);
    stack.configure(workers(3));
    await stack.up();
  });

  test("an up that is killed at every step is finished by the next one; the group leaves under load (D4, F3)", async () => {
    stack.configure(workers(2));
    const moments = [
      /no shard shall lie on/,
      /rebalance job \d+: \d+ of/,
      /group 3 is empty/,
      /stop .*, a standby of the leaving group/,
      /remove .* from the cluster, and stop it/,
      /group 3 has left the cluster/,
      /Container .*worker-3-\d.* delet/,
    ];
    const killed: boolean[] = [];
    const loads = await underLoad("scale-in 3 to 2 groups, killed at every step", async () => {
      for (const moment of moments) killed.push(await stack.upKilledAt(moment));
      await stack.up();
    });
    note(`up was killed at ${killed.filter(Boolean).length} of ${moments.length} steps of a scale-in`);
    // A step that a killed run had done already, and that is therefore not done again, kills nothing.
    expect(killed.filter(Boolean).length).toBeGreaterThanOrEqual(5);
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
    expect(Object.keys(await shards())).toEqual(["1", "2"]);
    const containers = await stack.containers();
    expect(containers.filter((name) => name.includes("worker-3"))).toEqual([]);
    expect(await docker("volume", "ls", "--quiet", "--filter", "name=pg-citus-worker-3")).toMatch(
      /worker-3-0-data/,
    );
    const listed = await docker(
      "exec",
      stack.member("coordinator", 0),
      "patronictl",
      "list",
      "--format",
      "json",
    );
    expect(listed).not.toContain("worker-3");
    await stack.preview("--expect-no-changes");
  });
});
