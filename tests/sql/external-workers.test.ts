import { withSession } from "../../components/resources/sql/session";
import type {
  WorkerGroupsInputs,
  WorkerGroupsOutputs,
} from "../../components/resources/sql/worker-groups/provider";
import { workerGroupsProvider } from "../../components/resources/sql/worker-groups/provider";
import { startCitus, withCitus } from "../support/citus";
import { allOrNone } from "../support/docker";
import { served } from "../support/served";

jest.setTimeout(300_000);

type Server = Awaited<ReturnType<typeof startCitus>>;

(withCitus ? describe : describe.skip)("workers that somebody else runs, on a real Citus (D3)", () => {
  let coordinator: Server;
  let workers: readonly Server[];
  let outputs: WorkerGroupsOutputs;
  const sql = <Row extends object>(server: Server, text: string): Promise<Row[]> =>
    withSession(server.target, (session) => session.query<Row>(text), { deadlineSeconds: 20 });
  const inputs = (numbers: readonly number[]): WorkerGroupsInputs => {
    const { password, ca, ...target } = coordinator.target;
    return {
      ...{ coordinator: target, ca, password, restPassword: "", rebalance: true },
      ...{ deadlineSeconds: 60, providerVersion: 1 },
      groups: numbers.map((group) => ({
        group,
        hosts: [workers[group - 1]?.address ?? ""],
        externalPort: 5432,
      })),
    };
  };
  const shards = (): Promise<object[]> =>
    sql(
      coordinator,
      `SELECT n.groupid AS group, count(*)::int AS shards FROM pg_dist_placement p JOIN pg_dist_node n USING (groupid)
       JOIN pg_dist_shard USING (shardid) WHERE logicalrelid = 'orders'::regclass GROUP BY 1 ORDER BY 1`,
    );

  beforeAll(async () => {
    const [first, ...others] = await allOrNone(
      ["c", "w1", "w2"].map((name) => startCitus(`prov-external-${process.pid}-${name}`)),
    );
    if (first === undefined) throw new Error("no server");
    [coordinator, workers] = [first, others];
    await sql(coordinator, `SELECT citus_set_coordinator_host('${coordinator.address}', 5432)`);
  });
  afterAll(() => {
    for (const server of [coordinator, ...workers]) server.remove();
  });

  const set = async (statement: string): Promise<void> => {
    await sql(coordinator, statement);
    await sql(coordinator, "SELECT pg_reload_conf()");
  };
  const LEAVE_FREE = "citus.desired_percent_disk_available_after_move";
  const jobs = (): Promise<object[]> =>
    sql(coordinator, "SELECT job_id::int AS job, state::text FROM pg_dist_background_job ORDER BY 1");

  /** Citus lets up to a minute pass before it tries a failed move again. */
  const withoutPauses = async <T>(use: () => Promise<T>): Promise<T> => {
    const hurry = setInterval(
      () =>
        void sql(
          coordinator,
          "UPDATE pg_dist_background_task SET not_before = now() WHERE not_before > now()",
        ).catch(() => undefined),
      500,
    );
    try {
      return await use();
    } finally {
      clearInterval(hurry);
    }
  };

  test("one is added under its number", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    outputs = (await provider.create(inputs([1]))).outs as WorkerGroupsOutputs;
    expect(printed.filter((line) => line.startsWith("add "))).toEqual([
      `add ${workers[0]?.address ?? ""}:5432 to the cluster as group 1`,
    ]);
    await sql(coordinator, "CREATE TABLE orders (id int PRIMARY KEY)");
    await sql(coordinator, "SELECT create_distributed_table('orders', 'id', shard_count := 8)");
    await sql(coordinator, "INSERT INTO orders SELECT generate_series(1, 1000)");
    expect(await shards()).toEqual([{ group: 1, shards: 8 }]);
    expect(await provider.diff("worker-groups", outputs, inputs([1]))).toEqual({
      changes: false,
      replaces: [],
    });
  });

  test("shards that do not fit on the one that comes are not moved, and the reason names the parameter (D3)", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    await set(`ALTER SYSTEM SET ${LEAVE_FREE} = 99`);
    await expect(provider.update("worker-groups", outputs, inputs([1, 2]))).rejects.toThrow(
      /cannot move the shards as planned; none was moved: .* less than the 99 % of citus\.desired_percent_disk_available/,
    );
    expect(printed.filter((line) => line.startsWith("add "))).toEqual([
      `add ${workers[1]?.address ?? ""}:5432 to the cluster as group 2`,
    ]);
    expect(await shards()).toEqual([{ group: 1, shards: 8 }]);
    expect(await jobs()).toEqual([]);
  });

  test("a job that gets no further ends the run with what it said, and the next run goes on with it (F3)", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    await sql(coordinator, "SELECT citus_rebalance_start()");
    await expect(
      withoutPauses(() => provider.update("worker-groups", outputs, inputs([1, 2]))),
    ).rejects.toThrow(
      /rebalance job 1 makes no progress; .* Move 1 failed \d+ times, most recently with: ERROR: not enough empty space/,
    );
    expect(printed.filter((line) => line.startsWith("move 1 failed: ERROR"))).not.toEqual([]);
    expect(await shards()).toEqual([{ group: 1, shards: 8 }]);
    await set(`ALTER SYSTEM RESET ${LEAVE_FREE}`);
    const update = await withoutPauses(() => provider.update("worker-groups", outputs, inputs([1, 2])));
    outputs = update.outs as WorkerGroupsOutputs;
    expect(await jobs()).toEqual([{ job: 1, state: "finished" }]);
    expect(printed.at(-1)).toMatch(/^rebalance job 1: 4 of 4 moves, (\S+ \S+) of \1$/);
    expect(await shards()).toEqual([
      { group: 1, shards: 4 },
      { group: 2, shards: 4 },
    ]);
    expect(await provider.diff("worker-groups", outputs, inputs([1, 2]))).toEqual({
      changes: false,
      replaces: [],
    });
  });

  test("one that leaves is drained, settles nobody's transactions any more, and is no node", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    outputs = (await provider.update("worker-groups", outputs, inputs([1]))).outs as WorkerGroupsOutputs;
    expect(printed).toContain(`remove ${workers[1]?.address ?? ""}:5432 from the cluster`);
    expect(await shards()).toEqual([{ group: 1, shards: 8 }]);
    expect(await sql(coordinator, "SELECT count(*)::int AS rows FROM orders")).toEqual([{ rows: 1000 }]);
    expect(await sql(workers[1] as Server, "SHOW citus.recover_2pc_interval")).toEqual([
      { "citus.recover_2pc_interval": "-1" },
    ]);
    expect(await provider.diff("worker-groups", outputs, inputs([1]))).toEqual({
      changes: false,
      replaces: [],
    });
  });
});
