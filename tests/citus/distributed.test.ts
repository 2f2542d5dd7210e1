import { Bank, type BankReport } from "../support/bank";
import { withCitus } from "../support/citus";
import * as faults from "../support/faults";
import { docker, eventually, type Settings } from "../support/stack";
import { query, Writer, type WriterReport, type WriterTarget } from "../support/writer";
import { citusStack } from "./stack";

const stack = citusStack();
const results: string[] = [];
let owner: WriterTarget;
let application: WriterTarget;

interface Node {
  readonly group: number;
  readonly host: string;
  readonly role: string;
}

const sql = async <Row extends object>(text: string): Promise<Row[]> => query<Row>(owner, text);
const nodes = (): Promise<Node[]> =>
  sql<Node>(
    "SELECT groupid AS group, nodename AS host, noderole::text AS role FROM pg_dist_node WHERE groupid > 0 ORDER BY 1, 3, 2",
  );
const shards = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await sql<{ group: number; shards: number }>(
        `SELECT p.groupid AS group, count(*)::int AS shards FROM pg_dist_placement p JOIN pg_dist_shard s USING (shardid)
         JOIN pg_dist_partition t ON t.logicalrelid = s.logicalrelid WHERE t.partmethod = 'h' GROUP BY 1 ORDER BY 1`,
      )
    ).map(({ group, shards: count }) => [String(group), count]),
  );

interface Loads {
  readonly bank: BankReport;
  readonly writer: WriterReport;
}

/** Runs multi-shard transfers and inserts while `change` happens. In every case nothing acknowledged is lost, and the sum stays. */
async function underLoad(name: string, change: () => Promise<unknown>): Promise<Loads> {
  const bank = new Bank(application);
  const writer = new Writer(application, `${name} ${Date.now()}`);
  let loads: Loads | undefined;
  try {
    bank.start();
    await writer.start();
    await change();
    await bank.awaitTransfers(50);
    await writer.awaitAcknowledged(50);
  } finally {
    loads = { bank: await bank.finish(), writer: await writer.finish() };
  }
  const { bank: b, writer: w } = loads;
  results.push(
    `${name.padEnd(44)} transfers ${String(b.transfers).padStart(5)} failed ${b.failed} longest ${String(b.longestMs).padStart(5)} ms` +
      `  inserts ${String(w.acknowledged).padStart(5)} unknown ${w.unknown} gap ${String(w.longestGapMs).padStart(5)} ms lost ${w.lost.length}`,
  );
  expect(w.lost).toEqual([]);
  expect(await Bank.surplus(application)).toBe(0);
  return loads;
}

const failures = ({ bank, writer }: Loads): readonly string[] => [...bank.errors, ...writer.errors];

/** What the coordinator knows is what there is, and no transaction is left half-way. */
async function settled(groups: readonly number[]): Promise<void> {
  await eventually("every group is registered as it is, and nothing is prepared", 120_000, async () => {
    const rows = await nodes();
    for (const group of groups) {
      const leaders = await Promise.all(
        [0, 1].map((i) => docker("exec", stack.member(`worker-${group}`, i), "patroni-leader")),
      );
      const leader = leaders[0] ?? "";
      const seen = rows.filter((row) => row.group === group).map(({ host, role }) => `${host} ${role}`);
      const expected = [0, 1].map((i) => {
        const name = stack.member(`worker-${group}`, i);
        return `${name} ${name === leader ? "primary" : "secondary"}`;
      });
      expect(seen.sort()).toEqual(expected.sort());
      const prepared = await docker(
        ...["exec", leader, "psql", "--host", "/run/postgresql", "--dbname", "app", "-Atc"],
        "SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '1 second'",
      );
      expect(prepared).toBe("0");
    }
    expect(rows.map(({ group }) => group).filter((group) => !groups.includes(group))).toEqual([]);
  });
}

const leaderOf = (group: number): Promise<string> =>
  docker("exec", stack.member(`worker-${group}`, 0), "patroni-leader");
const workers = (groups: number): Settings => ({ workers: { groups } });

(withCitus ? describe : describe.skip)("a distributed database (D1 to D4)", () => {
  beforeAll(async () => {
    stack.configure(workers(2));
    const started = Date.now();
    await stack.up();
    results.push(`up from nothing ${((Date.now() - started) / 1000).toFixed(1)} s`);
    owner = await stack.target("dpg_cluster");
    application = await stack.target("app_readwrite");
    await stack.prepareWrites();
    await sql("SELECT create_distributed_table('writes', 'id')");
    await Bank.open(owner);
  });

  afterAll(async () => {
    console.log(results.join("\n"));
    if (!process.env["KEEP_STACK"]) await stack.remove();
  });

  test("rows lie on every group, and a second up changes nothing", async () => {
    const found = await shards();
    expect(Object.keys(found)).toEqual(["1", "2"]);
    expect(found["1"]).toBe(found["2"]);
    await stack.preview("--expect-no-changes");
    await stack.up("--expect-no-changes");
  });

  test("reads through the read endpoint come from a replica of the coordinators (D6)", async () => {
    const reader = await stack.target("app_readonly", "read");
    expect(
      await query(reader, "SELECT pg_is_in_recovery() AS replica, count(*)::int AS rows FROM accounts"),
    ).toEqual([{ replica: true, rows: 200 }]);
  });

  test("no password lies in pg_dist_authinfo, and none opens a worker (D8, D9)", async () => {
    const coordinator = stack.member("coordinator", 0);
    const kept = await docker(
      ...["exec", coordinator, "psql", "--host", "/run/postgresql", "--dbname", "app", "-Atc"],
      "SELECT string_agg(authinfo, ' ') FROM pg_dist_authinfo",
    );
    expect(kept).not.toMatch(/password/);
    const { passwords } = await stack.outputs();
    const worker = stack.member("worker-1", 0);
    const connection = `host=${worker} dbname=app user=app_readwrite password=${passwords["app_readwrite"] ?? ""} sslmode=verify-full sslrootcert=/secrets/tls/ca.crt`;
    await expect(docker("exec", coordinator, "psql", connection, "-c", "SELECT 1")).rejects.toThrow(
      /connection requires a valid client certificate/,
    );
  });

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

  test("an up that is killed while it drains is finished by the next one; the group leaves under load (D4, F3)", async () => {
    stack.configure(workers(2));
    const loads = await underLoad("scale-in 3 to 2 groups, killed once", async () => {
      expect(await stack.upKilledAfter(20_000)).toBe(true);
      await stack.up();
    });
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

  test("a worker's switchover breaks no query", async () => {
    const leader = await leaderOf(1);
    const loads = await underLoad("worker switchover", () =>
      docker("exec", leader, "patronictl", "switchover", "--group", "1", "--leader", leader, "--force"),
    );
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
  });

  test.each([
    ["postmaster SIGKILL", faults.killPostmaster],
    [
      "container killed and started again",
      async (leader: string) => {
        await faults.kill(leader);
        await faults.start(leader);
      },
    ],
  ])("a worker's leader fails: %s", async (name, strike) => {
    const leader = await leaderOf(1);
    await underLoad(`worker ${name}`, () => strike(leader));
    await settled([1, 2]);
  });

  test("the coordinators' leader fails: postmaster SIGKILL", async () => {
    const leader = await docker("exec", stack.member("coordinator", 0), "patroni-leader");
    await underLoad("coordinator postmaster SIGKILL", () => faults.killPostmaster(leader));
    await settled([1, 2]);
  });
});
