import type {
  CitusTableInputs,
  CitusTableOutputs,
} from "../../components/resources/sql/citus-table/provider";
import { citusTableProvider } from "../../components/resources/sql/citus-table/provider";
import { withSession } from "../../components/resources/sql/session";
import { startCitus, withCitus } from "../support/citus";
import type { PostgresServer } from "../support/postgres";
import { served } from "../support/served";

(withCitus ? describe : describe.skip)("distributed and reference tables on a real Citus (D2)", () => {
  let server: PostgresServer;
  const sql = <Row extends object>(text: string): Promise<Row[]> =>
    withSession(server.target, (session) => session.query<Row>(text), { deadlineSeconds: 20 });
  const inputs = (over: Partial<CitusTableInputs>): CitusTableInputs => {
    const { password, ...target } = server.target;
    return {
      ...{ target, password, table: "public.orders", kind: "distributed", column: "tenant" },
      ...{ onChange: "refuse", onDelete: "keep", deadlineSeconds: 20, providerVersion: 1 },
      ...over,
    };
  };
  const create = async (over: Partial<CitusTableInputs>): Promise<CitusTableOutputs> => {
    const { provider } = served(citusTableProvider);
    return (await provider.create(inputs(over))).outs as CitusTableOutputs;
  };
  const reasons = async (over: Partial<CitusTableInputs>): Promise<string[]> => {
    const { provider } = served(citusTableProvider);
    const { failures = [] } = await provider.check(inputs(over), inputs(over));
    return failures.map(({ reason }) => reason);
  };
  const kinds = (): Promise<object[]> =>
    sql(
      "SELECT table_name::text AS name, citus_table_type AS kind, distribution_column AS column, shard_count::int AS shards FROM citus_tables ORDER BY 1",
    );

  beforeAll(async () => {
    server = await startCitus(`prov-citus-${process.pid}`);
    // One node is coordinator and worker; it logs in to itself as anybody else does.
    await sql("SELECT citus_set_coordinator_host('localhost', 5432)");
    await sql("SELECT citus_set_node_property('localhost', 5432, 'shouldhaveshards', true)");
    await sql("CREATE TABLE orders (tenant int, id bigint, PRIMARY KEY (tenant, id))");
    await sql("INSERT INTO orders SELECT i % 10, i FROM generate_series(1, 1000) i");
    await sql("CREATE TABLE items (tenant int, id bigint)");
    await sql("CREATE TABLE lonely (id bigint PRIMARY KEY, tenant int)");
    await sql("CREATE TABLE kinds (id int PRIMARY KEY)");
  });
  afterAll(() => server.remove());

  test("what cannot be is told by a preview's check, and nothing is touched", async () => {
    expect(await reasons({ table: "public.nothing" })).toEqual([
      expect.stringContaining("table public.nothing does not exist"),
    ]);
    expect(await reasons({ column: "tennant" })).toEqual([
      'public.orders has no column "tennant" to distribute it by',
      expect.stringContaining('the unique index orders_pkey does not include "tennant"'),
    ]);
    expect(await reasons({ table: "public.lonely" })).toEqual([
      expect.stringContaining('the unique index lonely_pkey does not include "tenant"'),
    ]);
    expect(await kinds()).toEqual([]);
  });

  test("a filled table is distributed, and one that is so already is adopted", async () => {
    await create({ shardCount: 8 });
    expect(await kinds()).toEqual([{ name: "orders", kind: "distributed", column: "tenant", shards: 8 }]);
    expect(await sql("SELECT count(*)::int AS rows FROM orders")).toEqual([{ rows: 1000 }]);
    const outs = await create({ shardCount: 8 });
    const { provider } = served(citusTableProvider);
    expect((await provider.read("public.orders", outs)).props).toEqual(outs);
  });

  test("tables with equal values lie together, and only of the same type", async () => {
    expect(await reasons({ table: "public.items", column: "id", colocateWith: "public.orders" })).toEqual([
      expect.stringContaining("public.items.id is bigint, but public.orders is distributed by integer"),
    ]);
    await create({ table: "public.items", colocateWith: "public.orders" });
    expect(
      await sql(
        "SELECT count(DISTINCT colocation_id)::int AS groups FROM citus_tables WHERE shard_count = 8",
      ),
    ).toEqual([{ groups: 1 }]);
  });

  test("another shard count is refused, and carried out when it is asked for", async () => {
    await expect(create({ shardCount: 4 })).rejects.toThrow(/is distributed by tenant in 8 shards/);
    await create({ shardCount: 4, onChange: "alter" });
    expect(await kinds()).toContainEqual({
      name: "orders",
      kind: "distributed",
      column: "tenant",
      shards: 4,
    });
    expect(await sql("SELECT count(*)::int AS rows FROM orders")).toEqual([{ rows: 1000 }]);
  });

  test("a reference table, and back to the coordinator only when that is asked for", async () => {
    const spec = { table: "public.kinds", kind: "reference", column: undefined } as const;
    await create(spec);
    expect(await kinds()).toContainEqual({ name: "kinds", kind: "reference", column: "<none>", shards: 1 });
    const { provider } = served(citusTableProvider);
    await provider.delete("public.kinds", { ...inputs(spec), drift: [] });
    expect(await kinds()).toHaveLength(3);
    await provider.delete("public.kinds", { ...inputs({ ...spec, onDelete: "undistribute" }), drift: [] });
    expect(await kinds()).toHaveLength(2);
  });

  test("what was undistributed by hand is drift, and the next update mends it", async () => {
    await sql("SELECT undistribute_table('items')");
    const { provider } = served(citusTableProvider);
    const outs = { ...inputs({ table: "public.items" }), drift: [] };
    const seen = (await provider.read("public.items", outs)).props as CitusTableOutputs;
    expect(seen.drift).toEqual(["distribute public.items by tenant"]);
    expect(await provider.diff("public.items", seen, outs)).toEqual({ changes: true, replaces: [] });
    await provider.update("public.items", seen, outs);
    expect(await kinds()).toHaveLength(2);
  });
});
