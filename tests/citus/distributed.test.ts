import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Bank, type BankReport } from "../support/bank";
import { withCitus } from "../support/citus";
import { Crowd } from "../support/crowd";
import * as faults from "../support/faults";
import { docker, eventually, type Settings } from "../support/stack";
import { measureRecall, nearest } from "../support/vectors";
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

/**
 * Runs multi-shard transfers and inserts while `change` happens and until they go on after it; then `heal`. In every case nothing
 * acknowledged is lost, and the sum stays.
 */
async function underLoad(
  name: string,
  change: () => Promise<unknown>,
  heal: () => Promise<unknown> = async () => {},
): Promise<Loads> {
  const bank = new Bank(application);
  const writer = new Writer(application, `${name} ${Date.now()}`);
  let loads: Loads | undefined;
  try {
    bank.start();
    await writer.start();
    await change();
    await bank.awaitTransfers(50);
    await writer.awaitAcknowledged(50);
    await heal();
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
      const prepared = await sqlIn(
        leader,
        "SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '1 second'",
      );
      expect(prepared).toBe("0");
    }
    expect(rows.map(({ group }) => group).filter((group) => !groups.includes(group))).toEqual([]);
  });
}

/** As a superuser inside a member. */
const sqlIn = (member: string, text: string): Promise<string> =>
  docker("exec", member, "psql", "--host", "/run/postgresql", "--dbname", "app", "-Atc", text);
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
    const kept = await sqlIn(coordinator, "SELECT string_agg(authinfo, ' ') FROM pg_dist_authinfo");
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

  describe.each([
    ["a worker group", () => leaderOf(1)],
    ["the coordinators", () => docker("exec", stack.member("coordinator", 0), "patroni-leader")],
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

  test("vectors are searched on every shard by its index, and nearly all true neighbours are found (D7)", async () => {
    const coordinator = await docker("exec", stack.member("coordinator", 0), "patroni-leader");
    const psql = ["psql", "--host", "/run/postgresql", "--dbname", "app", "--set", "ON_ERROR_STOP=1"];
    const example = readFileSync(join(__dirname, "../../docs/examples/vectors.sql"), "utf8");
    const printed = execFileSync("docker", ["exec", "--interactive", coordinator, ...psql, "--file", "-"], {
      input: `SET ROLE dpg_cluster;\n${example}`,
      encoding: "utf8",
    });
    expect(printed).toMatch(/4711 \|\s+11\n/);
    const reader = await stack.target("app_readonly", "write");
    const plan = await query<Record<string, string>>(
      reader,
      `EXPLAIN ${nearest(JSON.stringify(Array(32).fill(0.5)))}`,
    );
    expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toMatch(
      /Index Scan using items_embedding_\d+ on items_\d+/,
    );
    const { recall, approximateMs, exactMs } = await measureRecall(reader, 40);
    results.push(
      `vectors: recall of 10 nearest ${recall.toFixed(3)}, ${approximateMs.toFixed(1)} ms by the index, ${exactMs.toFixed(1)} ms by comparing all`,
    );
    expect(recall).toBeGreaterThanOrEqual(0.9);
  });

  test("a thousand clients share few connections to the servers (D6)", async () => {
    const databases = (await stack.containers()).filter((name) => /coordinator|worker/.test(name));
    const crowd = await Crowd.gather(application, 1000);
    const most: Record<string, number> = {};
    try {
      const asking = { still: true };
      const asked = crowd
        .ask(
          (i) =>
            `SELECT (SELECT sum(balance) FROM accounts), balance FROM accounts WHERE id = ${1 + (i % 200)}`,
        )
        .finally(() => (asking.still = false));
      while (asking.still) {
        await Promise.all(
          databases.map(async (name) => {
            const count = await sqlIn(
              name,
              "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
            );
            most[name] = Math.max(most[name] ?? 0, Number(count));
          }),
        );
      }
      expect(await asked).toEqual([]);
    } finally {
      await crowd.disperse();
    }
    results.push(`1000 clients, most connections of a server: ${JSON.stringify(most)}`);
    expect(Math.max(...Object.values(most))).toBeGreaterThan(0);
    expect(Math.max(...Object.values(most))).toBeLessThanOrEqual(300);
  });

  describe("drift that somebody made by hand is found and named (F8)", () => {
    // The failovers before it are news, too.
    beforeAll(() => stack.up());

    test.each([
      [
        "a node is disabled",
        (host: string) => `UPDATE pg_dist_node SET isactive = false WHERE nodename = '${host}'`,
        (host: string) => `${host} is not active`,
        (host: string) => `UPDATE pg_dist_node SET isactive = true WHERE nodename = '${host}'`,
      ],
      [
        "a row is renamed",
        (host: string) => `UPDATE pg_dist_node SET nodename = 'elsewhere' WHERE nodename = '${host}'`,
        (host: string) => `${host} is registered under another name, elsewhere`,
        (host: string) => `UPDATE pg_dist_node SET nodename = '${host}' WHERE nodename = 'elsewhere'`,
      ],
      [
        "a standby's row is removed",
        (host: string) => `SELECT citus_remove_node('${host}', 5432)`,
        (host: string) => `${host} is not registered`,
        (host: string, primary: string) =>
          `SELECT citus_add_secondary_node('${host}', 5432, '${primary}', 5432)`,
      ],
    ])("%s", async (_what, make, said, mend) => {
      const rows = await nodes();
      const [primary, standby] = ["primary", "secondary"].map(
        (role) => rows.find((row) => row.group === 1 && row.role === role)?.host ?? "",
      ) as [string, string];
      const coordinator = await docker("exec", stack.member("coordinator", 0), "patroni-leader");
      await sqlIn(coordinator, make(standby));
      try {
        expect(await stack.preview()).toContain(`nodes: group 1: ${said(standby)}`);
      } finally {
        await sqlIn(coordinator, mend(standby, primary));
      }
      await stack.preview("--expect-no-changes");
    });
  });
});
