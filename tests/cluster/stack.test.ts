import { etcdctl } from "../../commands/inside";
import { openCluster } from "../../commands/cluster";
import { checkEtcd } from "../../commands/doctor/etcd";
import { Chance, seed } from "../support/chance";
import { docker, TestStack } from "../support/stack";
import { query, Writer } from "../support/writer";

const stack = new TestStack();
const MEMBERS = 3;

const count = async (run: string): Promise<number> => {
  const [row] = await query<{ n: string }>(
    await stack.target("app_readonly"),
    "SELECT count(*) AS n FROM writes WHERE run = $1",
    [run],
  );
  return Number(row?.n);
};

/** Some acknowledged rows to find again later. */
async function rows(run: string): Promise<number> {
  const writer = new Writer(await stack.target("app_readwrite"), run);
  await writer.start();
  const report = await writer.finish();
  expect(report.lost).toEqual([]);
  return report.acknowledged;
}

describe("a stack that is up (S1, C4)", () => {
  test("a second preview and a second up change nothing", async () => {
    // Another suite may have moved the leader, which is a change of what the replication check saw.
    await stack.up("--refresh");
    await stack.preview("--expect-no-changes");
    await stack.up("--expect-no-changes");
  });

  test("the replication check's outputs show the leader that Patroni names and its streaming replicas (C5)", async () => {
    const leader = await stack.whole(MEMBERS);
    await stack.up("--refresh");
    const outputs = (await stack.outputs()) as unknown as {
      replication: { leader: string; members: { name: string; state: string }[] };
    };
    expect(outputs.replication.leader).toBe(leader);
    expect(outputs.replication.members).toHaveLength(MEMBERS);
  });

  test("a member's container that was deleted by hand comes back with its data", async () => {
    const run = `deleted ${Date.now()}`;
    const written = await rows(run);
    const leader = await stack.whole(MEMBERS);
    await docker("rm", "--force", leader);
    await stack.up("--refresh");
    await stack.whole(MEMBERS);
    expect(await count(run)).toBeGreaterThanOrEqual(written);
  });

  test("a replica whose volume was deleted by hand is cloned again", async () => {
    const run = `cloned ${Date.now()}`;
    const written = await rows(run);
    const leader = await stack.whole(MEMBERS);
    const replica = [0, 1, 2].map((i) => stack.member("patroni", i)).find((name) => name !== leader)!;
    const volume = await docker(
      "inspect",
      "--format",
      '{{range .Mounts}}{{if eq .Destination "/var/lib/postgresql"}}{{.Name}}{{end}}{{end}}',
      replica,
    );
    await docker("rm", "--force", replica);
    await docker("volume", "rm", volume);
    await stack.up("--refresh");
    await stack.whole(MEMBERS);
    const seen = await docker(
      "exec",
      replica,
      "psql",
      "--host",
      "/run/postgresql",
      "--dbname",
      "app",
      "-Atc",
      `SELECT count(*) FROM writes WHERE run = '${run}'`,
    );
    expect(Number(seen)).toBeGreaterThanOrEqual(written);
  });

  test("a member that etcd counts and nobody declared is named by doctor, and removed by up (H4)", async () => {
    const cluster = await openCluster(stack.operated);
    const check = async () => checkEtcd(cluster, await cluster.members());
    expect(await check()).toMatchObject({ ok: true });
    const add = etcdctl("member add ghost --peer-urls=https://ghost:2380");
    await docker("exec", stack.member("etcd", 0), ...add);
    expect(await check()).toMatchObject({
      ok: false,
      seen: "3 of 3 members serve; etcd also lists https://ghost:2380, which is not declared",
    });
    await stack.up("--refresh");
    expect(await check()).toMatchObject({ ok: true });
  });

  test("members that are all stopped at once, as by their machine, start as one cluster again (D8)", async () => {
    const run = `stopped ${Date.now()}`;
    const members = [0, 1, 2].map((i) => stack.member("patroni", i));
    // A leader hands over to a member that is stopping, too: whose promotion nobody heard of is a matter of chance.
    for (let attempt = 0; attempt < 3; attempt++) {
      const written = await rows(`${run} ${attempt}`);
      await docker("stop", ...members);
      await docker("start", ...members);
      await stack.whole(MEMBERS);
      expect(await count(`${run} ${attempt}`)).toBeGreaterThanOrEqual(written);
    }
  });

  test("an up that is killed at any moment is finished by the next one", async () => {
    const run = `killed ${Date.now()}`;
    const written = await rows(run);
    const chosen = seed();
    const chance = new Chance(chosen, "up is killed");
    console.log(`moments to kill up: SEED=${chosen} repeats them`);
    let kills = 0;
    // Sixty of them are `make test-long TRIAL=kills`.
    for (let attempt = 0; attempt < 2; attempt++) {
      // A change that touches many resources, so that there is something to interrupt; another value each time.
      stack.configure({ patroni: { memory: `${640 + attempt * 32}Mi` } });
      const after = chance.between(1_000, 15_000);
      const killed = await stack.upKilledAfter(after);
      if (killed) kills++;
      console.log(`up ${killed ? "killed" : "was done"} after ${after} ms`);
      await stack.up("--refresh");
      await stack.whole(MEMBERS);
    }
    // The fastest machine needs longer than most of these moments.
    expect(kills).toBeGreaterThan(0);
    stack.configure();
    await stack.up();
    await stack.up("--expect-no-changes");
    expect(await count(run)).toBeGreaterThanOrEqual(written);
    expect(await stack.containers()).toHaveLength(3 + MEMBERS + 2 + 2 + 2);
  });

  test("down and up again: the data is there", async () => {
    const run = `down ${Date.now()}`;
    const written = await rows(run);
    await stack.run("destroy", "--yes", "--exclude-protected");
    expect(await stack.containers()).toEqual([]);
    await stack.up();
    await stack.whole(MEMBERS);
    expect(await count(run)).toBeGreaterThanOrEqual(written);
  });
});
