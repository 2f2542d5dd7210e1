import { randomBytes } from "node:crypto";
import { withPatroni } from "../../../../components/resources/patroni/rest";
import { readStatus } from "../../../../components/resources/patroni/status";
import { switchover } from "../../../../components/resources/patroni/switchover";
import { poolWorkload } from "../../../../components/proxy-tier";
import { resolveProxyTier } from "../../../../components/proxy-tier-args";
import { describeWithImage, docker, dockerMeanwhile, logOf } from "../../../support/docker";
import { freePort, type PooledTrial, startPooledTrial } from "../../../support/pooled-trial";
import { eventually } from "../../../support/stack";
import { query, type WriterTarget } from "../../../support/writer";

/** On Kubernetes a pool's files are a minute or two old, and an `up` that adds a member may have it lead within seconds. */
describeWithImage("a pool whose files do not name the leader yet (H1, P3)", () => {
  const prefix = `new-${randomBytes(3).toString("hex")}`;
  const [old, added] = [`${prefix}-patroni-0`, `${prefix}-patroni-1`];
  const pool = `${prefix}-pool-write-0`;
  let pooled: PooledTrial;
  let target: WriterTarget;

  const specOf = (members: number) => {
    const { value: resolved } = resolveProxyTier({}, { parameters: { max_connections: 100 } });
    const tls = { name: "tls" };
    const database = { workload: "patroni", members, name: "app" };
    return poolWorkload("primary", resolved, database, pooled.addresses, { tls, pool: tls });
  };
  const leads = (member: string): Promise<unknown> =>
    withPatroni(pooled.trial.rest, async (rest) => {
      await eventually("both members are well", 90_000, async () => {
        const { leader, members } = await readStatus(rest);
        expect(members.filter(({ name, streaming }) => name === leader || streaming)).toHaveLength(2);
      });
      if ((await readStatus(rest)).leader !== member) await switchover(rest, { candidate: member });
    });
  const answered = async (): Promise<void> => {
    expect(await query(target, "SELECT NOT pg_is_in_recovery() AS leads")).toEqual([{ leads: true }]);
  };

  beforeAll(async () => {
    pooled = await startPooledTrial(prefix, 2);
    await leads(old);
    const port = await freePort();
    await pooled.run(specOf(1), 0, ["--publish", `127.0.0.1:${port}:6432`]);
    target = {
      addresses: [`127.0.0.1:${port}`],
      ...{ database: "app", user: "app_readwrite", password: pooled.passwords["app_readwrite"] ?? "" },
      ...{ ca: pooled.trial.target.ca, serverName: "entry" },
    };
    await answered();
  });
  afterAll(() => {
    pooled.remove();
  });

  test("learns of it from the members that it knows", async () => {
    await leads(added);
    await answered();
    expect(logOf(pool)).toContain(
      `${added} is the leader according to other members, and not in the configuration: asking it, too`,
    );
    await leads(old);
    await answered();
  });

  test("reads its files anew while it holds its clients for a leader that nobody tells it of", async () => {
    // As it is at its start: it has never heard of the new one.
    docker("restart", pool);
    await answered();
    docker("kill", old);
    await eventually("the pool holds", 60_000, async () => {
      expect(await dockerMeanwhile("exec", pool, "pool-console", "SHOW STATE")).toMatch(/paused\W+yes/);
    });
    const files = specOf(2).configuration?.["/etc/pgbouncer"]?.files ?? {};
    const write = 'printf %s "$1" > /etc/pgbouncer/follower.json';
    docker("exec", "--user", "0", pool, "sh", "-c", write, "sh", String(files["follower.json"]));
    await answered();
  });
});
