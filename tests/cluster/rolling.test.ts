import { PrimarySampler } from "../support/primaries";
import { expectKept, inFailover, type Promised } from "../support/promises";
import { docker, type Settings, TestStack } from "../support/stack";
import { query, Writer, type WriterReport } from "../support/writer";

const stack = new TestStack();
const MEMBERS = 3;
const members = [0, 1, 2].map((i) => stack.member("patroni", i));

const ROLLED = inFailover("Rolling change of a parameter that needs a restart");

/** When the container of a member was started, and when its PostgreSQL was. */
async function starts(): Promise<Record<string, { container: string; postgres: string }>> {
  const one = async (name: string) => ({
    container: await docker("inspect", "--format", "{{.State.StartedAt}}", name),
    postgres: await docker(
      "exec",
      name,
      "psql",
      "--host",
      "/run/postgresql",
      "--dbname",
      "postgres",
      "-Atc",
      "SELECT extract(epoch FROM pg_postmaster_start_time())",
    ),
  });
  return Object.fromEntries(await Promise.all(members.map(async (name) => [name, await one(name)] as const)));
}

const imagesOf = async (names: readonly string[]): Promise<string[]> =>
  (await docker("inspect", "--format", "{{.Image}}", ...names)).split("\n");

/** Writes through the endpoint while `up` carries a change of settings out. */
async function during(name: string, promised: Promised, over: Settings): Promise<WriterReport> {
  await stack.whole(MEMBERS);
  const writer = new Writer(await stack.target("app_readwrite"), `${name} ${Date.now()}`);
  const sampler = new PrimarySampler(members);
  sampler.start();
  const report = await writer
    .during(async () => {
      stack.configure(over);
      await stack.up();
      await stack.whole(MEMBERS);
      await writer.awaitAcknowledged(100);
    })
    .finally(() => sampler.stop());
  console.log(
    `${name}: gap ${report.longestGapMs} ms, acknowledged ${report.acknowledged}, unknown ${report.unknown}, lost ${report.lost.length}`,
  );
  expect(report.lost).toEqual([]);
  expect(sampler.verdict()).toEqual([]);
  expectKept(promised, report.longestGapMs);
  return report;
}

describe("changes roll through the members one at a time (D5)", () => {
  afterAll(async () => {
    stack.configure();
    await stack.up();
    await stack.whole(MEMBERS);
  });

  test("a parameter that can be reloaded restarts nothing", async () => {
    const before = await starts();
    await during("reload-only parameter", ROLLED, { patroni: { parameters: { work_mem: "5MB" } } });
    expect(await starts()).toEqual(before);
    const seen = await Promise.all(
      members.map((name) =>
        docker(
          "exec",
          name,
          "psql",
          "--host",
          "/run/postgresql",
          "--dbname",
          "postgres",
          "-Atc",
          "SHOW work_mem",
        ),
      ),
    );
    expect(seen).toEqual(["5MB", "5MB", "5MB"]);
  });

  test("a parameter that needs a restart restarts replicas first and the old leader last, in its container", async () => {
    const leader = await stack.whole(MEMBERS);
    const before = await starts();
    const report = await during("restart-only parameter", ROLLED, {
      patroni: { parameters: { max_connections: 140 } },
    });
    const after = await starts();
    const order = members
      .map((name) => ({ name, at: Number(after[name]!.postgres) }))
      .sort((a, b) => a.at - b.at);
    expect(order.at(-1)?.name).toBe(leader);
    for (const name of members) {
      expect(after[name]!.container).toBe(before[name]!.container);
      expect(after[name]!.postgres).not.toBe(before[name]!.postgres);
    }
    expect(report.errors).toEqual([]);
  });

  test("a new image replaces members one at a time, the leader last, and fails no transaction", async () => {
    const leader = await stack.whole(MEMBERS);
    const before = await starts();
    const images = await imagesOf(members);
    const report = await during("new image", inFailover("Rolling replacement of every container"), {
      images: { postgresPackages: ["postgresql-17-semver"] },
      patroni: { extensions: ["semver"], parameters: { max_connections: 140 } },
    });
    const image = new Set(await imagesOf(members));
    expect(image.size).toBe(1);
    expect(images).not.toContain([...image][0]);
    expect(
      await query(await stack.target("app_readwrite"), "SELECT '1.2.10'::semver > '1.2.9' AS newer"),
    ).toEqual([{ newer: true }]);
    const after = await starts();
    const order = members
      .map((name) => ({ name, at: after[name]!.container }))
      .sort((a, b) => a.at.localeCompare(b.at));
    expect(order.at(-1)?.name).toBe(leader);
    for (const name of members) expect(after[name]!.container).not.toBe(before[name]!.container);
    expect(report.errors).toEqual([]);
  });
});
