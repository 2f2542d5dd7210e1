import { withSession } from "../../components/sql/session";
import type { WorkerGroupsInputs, WorkerGroupsOutputs } from "../../components/sql/worker-groups/provider";
import { workerGroupsProvider } from "../../components/sql/worker-groups/provider";
import { startCitus, withCitus } from "../support/citus";
import { roundTrip } from "../support/round-trip";

jest.setTimeout(300_000);

type Server = Awaited<ReturnType<typeof startCitus>>;

(withCitus ? describe : describe.skip)("workers that somebody else runs, on a real Citus (issue B 3)", () => {
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
    const [first, ...others] = await Promise.all(
      ["c", "w1", "w2"].map((name) => startCitus(`prov-external-${process.pid}-${name}`)),
    );
    if (first === undefined) throw new Error("no server");
    [coordinator, workers] = [first, others];
    await sql(coordinator, `SELECT citus_set_coordinator_host('${coordinator.address}', 5432)`);
  });
  afterAll(() => {
    for (const server of [coordinator, ...workers]) server.remove();
  });

  test("they are added under their numbers, and hold shards", async () => {
    const { provider, printed } = await roundTrip(workerGroupsProvider);
    outputs = (await provider.create(inputs([1, 2]))).outs as WorkerGroupsOutputs;
    expect(printed.filter((line) => line.startsWith("add "))).toEqual(
      workers.map(({ address }, i) => `add ${address}:5432 to the cluster as group ${i + 1}`),
    );
    await sql(coordinator, "CREATE TABLE orders (id int PRIMARY KEY)");
    await sql(coordinator, "SELECT create_distributed_table('orders', 'id', shard_count := 8)");
    await sql(coordinator, "INSERT INTO orders SELECT generate_series(1, 1000)");
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
    const { provider, printed } = await roundTrip(workerGroupsProvider);
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
