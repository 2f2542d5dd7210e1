import { connect, query, type WriterTarget } from "./writer";

export interface Recall {
  /** How many of the true nearest neighbours the index finds, of all that were asked for: 0 to 1. */
  readonly recall: number;
  readonly approximateMs: number;
  readonly exactMs: number;
}

const NEAREST = 10;

/** The search by the index. */
export const nearest = (vector: string): string =>
  `SELECT id FROM items ORDER BY embedding <-> '${vector}' LIMIT ${NEAREST}`;
/** The same, by an expression that no index knows: every row is compared. */
const exactlyNearest = (vector: string): string =>
  `SELECT id FROM items ORDER BY (embedding <-> '${vector}') + 0 LIMIT ${NEAREST}`;

/** Holds the search through an endpoint against an exact scan. The table is that of docs/examples/vectors.sql. */
export async function measureRecall(target: WriterTarget, queries: number): Promise<Recall> {
  // Near rows that are there, and none of them.
  const beside = JSON.stringify([...Array(32).keys()].map((i) => 0.1 * Math.sin(2 * i)));
  const samples = await query<{ vector: string }>(
    target,
    "SELECT (embedding + $2::vector)::text AS vector FROM items WHERE id % (20000 / $1::int) = 0 ORDER BY id LIMIT $1::int",
    [queries, beside],
  );
  let found = 0;
  let wanted = 0;
  const spent = { approximate: 0, exact: 0 };
  const client = await connect(target, target.addresses[0] ?? "");
  const ids = async (kind: keyof typeof spent, sql: string): Promise<readonly string[]> => {
    const started = performance.now();
    const { rows } = await client.query<{ id: string }>(sql);
    spent[kind] += performance.now() - started;
    return rows.map(({ id }) => id);
  };
  for (const { vector } of samples) {
    const approximate = new Set(await ids("approximate", nearest(vector)));
    const exact = await ids("exact", exactlyNearest(vector));
    wanted += exact.length;
    found += exact.filter((id) => approximate.has(id)).length;
  }
  await client.end();
  return {
    recall: found / wanted,
    approximateMs: spent.approximate / samples.length,
    exactMs: spent.exact / samples.length,
  };
}
