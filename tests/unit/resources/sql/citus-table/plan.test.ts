import {
  describeTableStep,
  planTable,
  tableProblems,
  type TableSpec,
  type TableState,
  tableWarnings,
} from "../../../../../components/resources/sql/citus-table/plan";

const orders: TableSpec = {
  table: "public.orders",
  kind: "distributed",
  column: "tenant",
  onChange: "refuse",
};
const plain: TableState = {
  present: true,
  kind: null,
  column: null,
  shardCount: null,
  colocation: null,
  columnType: "integer",
  uniqueWithout: [],
  groups: 2,
};
const distributed: TableState = {
  ...plain,
  kind: "distributed",
  column: "tenant",
  shardCount: 32,
  colocation: 1,
};
const reference: TableSpec = { table: "public.kinds", kind: "reference", onChange: "refuse" };

describe("a table that is not distributed yet (D2)", () => {
  test("is distributed by its column, beside whom it fits", () => {
    expect(planTable(orders, plain)).toEqual([
      { do: "distribute", column: "tenant", colocateWith: "default" },
    ]);
    expect(planTable({ ...orders, shardCount: 64, colocateWith: "none" }, plain)).toEqual([
      { do: "distribute", column: "tenant", shardCount: 64, colocateWith: "none" },
    ]);
  });

  test("becomes a reference table", () => {
    expect(planTable(reference, plain)).toEqual([{ do: "reference" }]);
  });
});

describe("a table that is distributed", () => {
  test("is adopted when it is as declared; what is not declared may be anything", () => {
    expect(planTable(orders, distributed)).toEqual([]);
    expect(planTable({ ...orders, shardCount: 32 }, distributed)).toEqual([]);
    expect(planTable(reference, { ...plain, kind: "reference" })).toEqual([]);
  });

  test("is refused to be written anew, with the way to do it", () => {
    expect(planTable({ ...orders, column: "id", shardCount: 64 }, distributed)).toEqual({
      refused: expect.stringMatching(
        /^public\.orders is distributed by tenant in 32 shards, but declared with column id, shardCount 64\. .* set onChange to "alter"/,
      ) as string,
    });
  });

  test("is written anew when that is asked for", () => {
    const spec: TableSpec = { ...orders, shardCount: 64, colocateWith: "public.items", onChange: "alter" };
    const neighbour = { columnType: "integer", colocation: 7 };
    expect(planTable(spec, { ...distributed, neighbour })).toEqual([
      { do: "alter", shardCount: 64, colocateWith: "public.items" },
    ]);
  });

  test("never becomes the other kind by itself", () => {
    expect(planTable({ ...reference, onChange: "alter" }, distributed)).toEqual({
      refused: expect.stringContaining("Run SELECT undistribute_table('public.kinds')") as string,
    });
  });
});

describe("what is told before anything is touched (F5)", () => {
  test.each<[Partial<TableState>, Partial<TableSpec>, string]>([
    [{ present: false }, {}, "table public.orders does not exist"],
    [{ columnType: undefined }, { column: "tennant" }, 'public.orders has no column "tennant"'],
    [{ uniqueWithout: ["orders_pkey"] }, {}, 'the unique index orders_pkey does not include "tenant"'],
    [
      {},
      { colocateWith: "public.items" },
      "public.orders cannot be colocated with public.items, which is not a distributed table: distribute that first",
    ],
    [
      { neighbour: { columnType: "bigint", colocation: 1 } },
      { colocateWith: "public.items" },
      "public.orders.tenant is integer, but public.items is distributed by bigint",
    ],
  ])("%j %j", (state, spec, message) => {
    expect(tableProblems({ ...orders, ...spec }, { ...plain, ...state })).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test("fewer shards than groups are worth a word", () => {
    expect(tableWarnings({ ...orders, shardCount: 1 }, plain)).toEqual([
      "public.orders: with 1 shards, some of the 2 worker groups have none; use 2 or more",
    ]);
    expect(tableWarnings(orders, plain)).toEqual([]);
  });
});

test("steps as progress lines", () => {
  expect(describeTableStep("public.kinds", { do: "reference" })).toBe(
    "copy public.kinds to every node, as a reference table",
  );
  expect(
    describeTableStep("public.orders", {
      do: "distribute",
      column: "tenant",
      shardCount: 4,
      colocateWith: "none",
    }),
  ).toBe("distribute public.orders by tenant in 4 shards, without colocation");
  expect(describeTableStep("public.orders", { do: "alter", shardCount: 4 })).toBe(
    "rewrite public.orders with shardCount 4",
  );
});
