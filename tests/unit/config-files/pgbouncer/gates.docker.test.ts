import { randomBytes } from "node:crypto";
import { poolWorkload } from "../../../../components/proxy-tier";
import { resolveProxyTier } from "../../../../components/proxy-tier-args";
import { withSession } from "../../../../components/resources/sql/session";
import { describeWithImage, dockerMeanwhile, logOf } from "../../../support/docker";
import { freePort, type PooledTrial, startPooledTrial } from "../../../support/pooled-trial";
import { eventually } from "../../../support/stack";
import { connect, query, type WriterTarget } from "../../../support/writer";

const WAITS_FOR = "the checks after the restore";

describeWithImage("a pool with a gate (guests)", () => {
  const prefix = `gates-${randomBytes(3).toString("hex")}`;
  const pool = `${prefix}-gated-0`;
  let pooled: PooledTrial;
  let target: WriterTarget;

  beforeAll(async () => {
    pooled = await startPooledTrial(prefix);
    const { value: resolved } = resolveProxyTier({}, { parameters: { max_connections: 100 } });
    // What the gate asks for is not even there yet.
    const gates = [{ name: "restored", condition: "SELECT restored FROM gate.state", waitsFor: WAITS_FOR }];
    const database = { workload: "patroni", members: 1, name: "app", gates };
    const tls = { name: "tls" };
    const spec = poolWorkload("primary", resolved, database, pooled.addresses, { tls, pool: tls });
    const port = await freePort();
    await pooled.run({ ...spec, name: "gated" }, 0, ["--publish", `127.0.0.1:${port}:6432`]);
    target = {
      ...{ addresses: [`127.0.0.1:${port}`], database: "app", user: "app_readwrite", serverName: "entry" },
      ...{ password: pooled.passwords["app_readwrite"] ?? "", ca: pooled.trial.target.ca },
    };
  });
  afterAll(() => pooled.remove());

  const superuser = (...statements: readonly string[]): Promise<void> =>
    withSession({ ...pooled.trial.target, database: "app" }, async (session) => {
      for (const statement of statements) await session.query(statement);
    });
  const ready = (): Promise<string> => dockerMeanwhile("exec", pool, "pool-ready", "10");
  const said = (text: string): Promise<unknown> =>
    eventually(`the log says ${text}`, 60_000, async () => expect(logOf(pool)).toContain(text));

  test("lets nobody in before it is open, and says what clients wait for", async () => {
    await said(`not open: clients wait for ${WAITS_FOR}`);
    await expect(ready()).rejects.toThrow(`not open yet, clients wait for ${WAITS_FOR}`);
    await expect(connect(target, target.addresses[0]!)).rejects.toThrow();
    await superuser(
      "CREATE SCHEMA gate",
      "CREATE TABLE gate.state AS SELECT false AS restored",
      "GRANT USAGE ON SCHEMA gate TO pool_auth",
      "GRANT SELECT ON gate.state TO pool_auth",
    );
    await expect(connect(target, target.addresses[0]!)).rejects.toThrow();
  });

  test("lets them in once it is", async () => {
    await superuser("UPDATE gate.state SET restored = true");
    await eventually("the pool serves", 60_000, () => query(target, "SELECT 1"));
  });

  test("holds them when it closes, without an error, and a lost session closes nothing", async () => {
    const client = await connect(target, target.addresses[0]!);
    await client.query("SELECT 1");
    await superuser("UPDATE gate.state SET restored = false");
    await said(`pausing: clients wait for ${WAITS_FOR}`);
    let answered = false;
    const waiting = client.query("SELECT 2 AS two").then(({ rows }) => {
      answered = true;
      return rows as unknown;
    });
    await superuser("UPDATE gate.state SET restored = true");
    expect(answered).toBe(false);
    expect(await waiting).toEqual([{ two: 2 }]);
    await superuser(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pool-follower%'",
    );
    await said("the session with");
    expect((await client.query("SELECT 3 AS three")).rows).toEqual([{ three: 3 }]);
    await client.end();
  });
});
