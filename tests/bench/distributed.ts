import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PORTS } from "../../config-files/ports";
import { PROJECT } from "../../commands/programs";
import { CITUS_PACKAGES, withCitus } from "../support/citus";
import { Crowd } from "../support/crowd";
import { docker } from "../support/stack";
import { measureRecall, nearest } from "../support/vectors";
import { query } from "../support/writer";
import type { Bench } from "./bench";
import { measureBringUp } from "./bring-up";
import { PgbenchClient, tps, type Way } from "./pgbench";
import { seconds, spread } from "./table";

const GROUPS = [4, 8, 16, 32];
const LONGEST_PREVIEW_SECONDS = 5;
const ROWS = 200_000;
const CLIENTS = 16;
const RECALL_QUERIES = 50;
const SEARCHES = 40;

const distributed = (groups: number) => ({
  citus: "required",
  workers: { groups },
  patroni: { extensions: ["vector"] },
});

/** What a distributed database costs and gives: three coordinators, two worker groups. Needs a package of Citus. */
export async function measureDistributed(bench: Bench): Promise<void> {
  if (!withCitus) {
    bench.say(`a distributed database is not measured: there is no package of Citus in ${CITUS_PACKAGES}`);
    return;
  }
  await bench.sweep();
  await measurePreviews(bench);
  bench.settings = distributed(2);
  try {
    await measureBringUp(bench, "distributed database, up");
    await measureStatements(bench);
    await measureVectors(bench);
  } finally {
    bench.settings = {};
  }
}

/** Previews of stacks that do not exist yet: every resource is to be made. */
async function measurePreviews(bench: Bench): Promise<void> {
  const taken: number[] = [];
  for (const groups of GROUPS) {
    bench.settings = distributed(groups);
    await bench.prepare();
    await bench.measure(`preview of ${groups} worker groups, median of 3`, async () => {
      const runs: number[] = [];
      for (let i = 0; i < 3; i++) runs.push((await bench.invoke("preview")).seconds);
      const { median } = spread(runs);
      taken.push(median);
      const largest = groups === GROUPS.at(-1);
      return {
        figure: seconds(median),
        ...(largest && { goal: `<= ${LONGEST_PREVIEW_SECONDS} s`, met: median <= LONGEST_PREVIEW_SECONDS }),
      };
    });
  }
  const [first = 0, last = 0] = [taken[0], taken.at(-1)];
  const [fewest = 1, most = 1] = [GROUPS[0], GROUPS.at(-1)];
  await bench.measure(`growth of the preview from ${fewest} to ${most} groups`, () =>
    Promise.resolve({
      figure: `${seconds(first)} -> ${seconds(last)}`,
      ratio: last / first,
      goal: `<= ${most / fewest}x`,
      met: last / first <= most / fewest,
    }),
  );
}

/** The same statements on a table that is spread over the groups, and on one that the coordinators' leader has alone. */
async function measureStatements(bench: Bench): Promise<void> {
  const owner = await bench.stack.target("dpg_cluster");
  for (const table of ["alone", "spread"])
    await query(owner, `CREATE TABLE ${table} (id int PRIMARY KEY, value int NOT NULL)`);
  await query(owner, "SELECT create_distributed_table('spread', 'id')");
  for (const table of ["alone", "spread"])
    await query(owner, `INSERT INTO ${table} SELECT i, 0 FROM generate_series(1, ${ROWS}) i`);
  const leader = await docker("exec", bench.stack.member("coordinator", 0), "patroni-leader");
  const client = await PgbenchClient.start(bench, leader);
  const way: Way = { host: bench.entries()[0] ?? "", port: PORTS.write };
  const scripts = {
    "select by key": (table: string) =>
      `\\set id random(1, ${ROWS})\nSELECT value FROM ${table} WHERE id = :id;\n`,
    "update of two rows, on two shards": (table: string) =>
      `\\set a random(1, ${ROWS / 2})\n\\set b random(${ROWS / 2 + 1}, ${ROWS})\nUPDATE ${table} SET value = value + 1 WHERE id IN (:a, :b);\n`,
  };
  for (const [what, script] of Object.entries(scripts)) {
    await bench.measure(
      `${what}, ${CLIENTS} clients through the pool: distributed / one PostgreSQL`,
      async () => {
        const load = { way, clients: CLIENTS, protocol: "simple" } as const;
        const [many, one] = await client.alternate(
          { ...load, script: script("spread") },
          { ...load, script: script("alone") },
        );
        return { figure: `${tps(many)} / ${tps(one)} tps`, ratio: many / one };
      },
    );
  }
}

/** docs/examples/vectors.sql, searched by its indexes. */
async function measureVectors(bench: Bench): Promise<void> {
  const leader = await docker("exec", bench.stack.member("coordinator", 0), "patroni-leader");
  const psql = [
    "psql",
    "--host",
    "/run/postgresql",
    "--dbname",
    "app",
    "--set",
    "ON_ERROR_STOP=1",
    "--quiet",
  ];
  execFileSync("docker", ["exec", "--interactive", leader, ...psql, "--file", "-"], {
    input: `SET ROLE dpg_cluster;\n${readFileSync(join(PROJECT, "docs/examples/vectors.sql"), "utf8")}`,
    stdio: ["pipe", "ignore", "inherit"],
  });
  const reader = await bench.stack.target("app_readonly", "read");
  await bench.measure(
    "ten nearest of 20,000 vectors on 32 shards: recall against comparing all",
    async () => {
      const { recall, approximateMs, exactMs } = await measureRecall(reader, RECALL_QUERIES);
      return {
        figure: `${recall.toFixed(3)}, ${approximateMs.toFixed(0)} / ${exactMs.toFixed(0)} ms`,
        ratio: approximateMs / exactMs,
      };
    },
  );
  await bench.measure(`vector searches, ${CLIENTS} clients through the pool`, async () => {
    const crowd = await Crowd.gather(reader, CLIENTS);
    try {
      const search = nearest(JSON.stringify(Array(32).fill(0.5)));
      const started = performance.now();
      for (let i = 0; i < SEARCHES; i++) {
        const failed = await crowd.ask(() => search);
        if (failed.length > 0) throw new Error(failed[0]);
      }
      return { figure: `${tps((CLIENTS * SEARCHES * 1000) / (performance.now() - started))} a second` };
    } finally {
      await crowd.disperse();
    }
  });
}
