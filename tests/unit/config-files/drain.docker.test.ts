import { randomBytes } from "node:crypto";
import type { Client } from "pg";
import { entryWorkload, poolWorkload } from "../../../components/proxy-tier";
import { resolveProxyTier } from "../../../components/proxy-tier-args";
import { withSession } from "../../../components/resources/sql/session";
import { describeWithImage, docker, dockerAsRoot, dockerMeanwhile, logOf } from "../../support/docker";
import type { PatroniTrial } from "../../support/patroni";
import { freePort, type PooledTrial, startPooledTrial } from "../../support/pooled-trial";
import { eventually } from "../../support/stack";
import { connect, query, Writer, type WriterReport, type WriterTarget } from "../../support/writer";

/** Longer than what a stop without clients takes on a busy machine. */
const DRAIN_SECONDS = 12;

/** The real entry and pools, as the workloads describe them, before one real member. */
describeWithImage("the entry and the pools, when one of them is stopped on purpose", () => {
  const prefix = `drain-${randomBytes(3).toString("hex")}`;
  const name = (workload: string, ordinal: number): string => `${prefix}-${workload}-${ordinal}`;
  let pooled: PooledTrial;
  let trial: PatroniTrial;
  let target: WriterTarget;
  /** The first entry's port past the pools. */
  let direct: string;

  beforeAll(async () => {
    pooled = await startPooledTrial(prefix);
    ({ trial } = pooled);
    const { value: resolved } = resolveProxyTier(
      { drainSeconds: DRAIN_SECONDS, readPools: 1 },
      { parameters: { max_connections: 100 } },
    );
    const served = { workload: "patroni", members: 1 };
    const tls = { name: "tls" };
    const entry = entryWorkload(resolved, served, pooled.addresses, { tls });
    const database = { ...served, name: "app" };
    const pool = poolWorkload("primary", resolved, database, pooled.addresses, { tls, pool: tls });
    await withSession({ ...trial.target, database: "app" }, (superuser) =>
      superuser.query(
        "CREATE TABLE writes (run text, id int); GRANT SELECT, INSERT ON writes TO app_readwrite",
      ),
    );
    for (const ordinal of [0, 1]) await pooled.run(pool, ordinal);
    // Fixed ones, which they have after a restart, too.
    const ports = await Promise.all([freePort(), freePort()]);
    direct = `127.0.0.1:${await freePort()}`;
    for (const [ordinal, port] of ports.entries()) {
      const published = [`127.0.0.1:${port}:6432`, ...(ordinal === 0 ? [`${direct}:5432`] : [])];
      await pooled.run(
        entry,
        ordinal,
        published.flatMap((each) => ["--publish", each]),
      );
    }
    target = {
      addresses: ports.map((port) => `127.0.0.1:${port}`),
      database: "app",
      user: "app_readwrite",
      password: pooled.passwords["app_readwrite"] ?? "",
      ca: trial.target.ca,
      serverName: "entry",
    };
    for (const ordinal of [0, 1]) {
      await ready("haproxy", ordinal, "haproxy-ready");
      await ready("pool-write", ordinal, "pool-ready");
    }
    for (const address of target.addresses) await query({ ...target, addresses: [address] }, "SELECT 1");
  });

  afterAll(() => {
    pooled.remove();
  });

  const ready: PooledTrial["ready"] = (...which) => pooled.ready(...which);
  /** Stops a member as the platform does; how long it took in seconds, and with which exit code it ended. */
  async function stop(workload: string, ordinal: number): Promise<{ seconds: number; code: number }> {
    const container = name(workload, ordinal);
    const began = performance.now();
    await dockerMeanwhile("stop", container);
    const seconds = (performance.now() - began) / 1000;
    return {
      seconds,
      code: Number(await dockerMeanwhile("inspect", "--format", "{{.State.ExitCode}}", container)),
    };
  }
  /** As a rolling change does: the next one's turn comes when this one says that it is ready. Says how long the stop took. */
  async function replace(workload: string, ordinal: number, readiness: string): Promise<number> {
    const { seconds, code } = await stop(workload, ordinal);
    expect(code).toBe(0);
    await dockerMeanwhile("start", name(workload, ordinal));
    await ready(workload, ordinal, readiness);
    return seconds;
  }

  test("fails no transaction of clients that renew their connections, one member after the other", async () => {
    const writers = [target.addresses, [...target.addresses].reverse()].map(
      (addresses, i) => new Writer({ ...target, addresses }, `renewing-${i}`, { maxLifetimeMs: 1000 }),
    );
    const took: number[] = [];
    let reports: readonly WriterReport[];
    try {
      await Promise.all(writers.map((writer) => writer.start()));
      for (const ordinal of [0, 1]) took.push(await replace("pool-write", ordinal, "pool-ready"));
      for (const ordinal of [0, 1]) took.push(await replace("haproxy", ordinal, "haproxy-ready"));
      await Promise.all(writers.map((writer) => writer.awaitAcknowledged(20)));
    } finally {
      reports = await Promise.all(writers.map((writer) => writer.finish()));
    }
    for (const report of reports) expect(report).toMatchObject({ unknown: 0, errors: [], lost: [] });
    // The clients left by themselves.
    for (const seconds of took) expect(seconds).toBeLessThan(DRAIN_SECONDS);
  });

  test("without clients stops at once", async () => {
    expect(await replace("pool-write", 0, "pool-ready")).toBeLessThan(DRAIN_SECONDS / 2);
    expect(await replace("haproxy", 0, "haproxy-ready")).toBeLessThan(DRAIN_SECONDS / 2);
  });

  /** Asks again and again until the connection is cut; how long that took, in seconds. */
  async function cutAfter(client: Client): Promise<number> {
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    while (seconds() < 10 * DRAIN_SECONDS) {
      try {
        await client.query("SELECT 1");
      } catch {
        return seconds();
      }
    }
    throw new Error(`it is not cut off after ${seconds()} s`);
  }

  test("cuts off an entry's client that never renews its connection, but not before its time", async () => {
    const client = await connect(target, target.addresses[1]!);
    const [cut, { code }] = await Promise.all([cutAfter(client), stop("haproxy", 1)]);
    expect(code).toBe(0);
    expect(cut).toBeGreaterThanOrEqual(DRAIN_SECONDS);
    docker("start", name("haproxy", 1));
    await ready("haproxy", 1, "haproxy-ready");
  });

  /** Says something to the first entry, as an operator would, and what it answers. */
  const tell = (...commands: readonly string[]): string =>
    docker(
      ...["exec", name("haproxy", 0), "sh", "-c"],
      `printf '%s\\n' '${commands.join("; ")}' | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock`,
    );

  /** What the first entry thinks of a server, by column of its statistics. */
  function seen(server: string): Readonly<Record<string, string>> {
    const [head = "", ...rows] = tell("show stat -1 4 -1").split("\n");
    const columns = head.replace("# ", "").split(",");
    const row = rows.map((each) => each.split(",")).find((each) => `${each[0]}/${each[1]}` === server);
    return Object.fromEntries(columns.map((column, i) => [column, row?.[i] ?? ""]));
  }
  const awaitSeen = (server: string, column: string, value: string): Promise<void> =>
    eventually(`${column} of ${server} is ${value}`, 30_000, () => {
      const found = seen(server)[column];
      return found === value ? Promise.resolve() : Promise.reject(new Error(found));
    });

  test("the entry remembers over a reload who drains, until the pool takes new sessions again", async () => {
    const pools = ["pool-write", "pool-read-fallback"].map(
      (backend) => `${backend}/${name("pool-write", 0)}`,
    );
    docker("exec", name("pool-write", 0), "touch", "/run/pgbouncer/draining");
    for (const server of pools) await awaitSeen(server, "status", "DRAIN (agent)");
    const worker = (): string => /^Pid: (\d+)$/m.exec(tell("show info"))?.[1] ?? "";
    const former = worker();
    // The program may only read it.
    const change = "echo '# changed' >> /etc/haproxy/haproxy.cfg";
    dockerAsRoot(name("haproxy", 0), "sh", "-c", change);
    await eventually("another worker", 60_000, () =>
      worker() === former ? Promise.reject(new Error(former)) : Promise.resolve(),
    );
    for (const server of pools) expect(seen(server)["status"]).toBe("DRAIN (agent)");
    docker("exec", name("pool-write", 0), "rm", "/run/pgbouncer/draining");
    for (const server of pools) await awaitSeen(server, "status", "UP");
  });

  test("a pool whose follower says nothing is used as before", async () => {
    const server = `pool-write/${name("pool-write", 0)}`;
    const follower = (signal: string): string =>
      docker("exec", name("pool-write", 0), "sh", "-c", `kill -${signal} $(cat /run/pgbouncer/follower.pid)`);
    follower("STOP");
    try {
      await awaitSeen(server, "agent_status", "L7TOUT");
      expect(seen(server)["status"]).toBe("UP");
    } finally {
      follower("CONT");
    }
    // HAProxy's word for an agent that answered.
    await awaitSeen(server, "agent_status", "CHECKED");
  });

  test.each([
    {
      where: "to the pools while none takes any",
      servers: [0, 1].map((ordinal) => `pool-write/${name("pool-write", ordinal)}`),
      to: () => target,
    },
    {
      where: "past the pools while no member leads",
      servers: [`direct-write/${name("patroni", 0)}`],
      to: () => ({ ...target, addresses: [direct], serverName: name("patroni", 0) }),
    },
  ])("lets a session wait that comes $where", async ({ servers, to }) => {
    const all = (command: (server: string) => string): string => tell(...servers.map(command));
    // Or the pools' own word would follow half a second later.
    all((server) => `disable agent ${server}`);
    all((server) => `set server ${server} state drain`);
    const began = performance.now();
    const waiting = connect(to(), to().addresses[0]!);
    // Not before the entry has the session.
    await eventually("the session is there", 10_000, () => {
      const sessions = tell("show sess");
      if (!/fe=(direct-)?write .*srv=<none>/.test(sessions)) throw new Error(sessions);
      return Promise.resolve();
    });
    all((server) => `set server ${server} state ready`);
    all((server) => `enable agent ${server}`);
    const client = await waiting;
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(performance.now() - began).toBeGreaterThan(1000);
    await client.end();
  });

  test("goes on with what a leader asks a pool for, and cuts off a client that stays only after that", async () => {
    const client = await connect(target, target.addresses[0]!);
    const other = await connect(target, target.addresses[0]!);
    const log = (): string => logOf(name("pool-write", 0));
    // The entry gives each pool one of the two.
    const [cut] = await Promise.all([
      Promise.race([cutAfter(client), cutAfter(other)]),
      stop("pool-write", 0),
      eventually("the clients are held and let go", 60_000, async () => {
        // Whoever asks stays until it has been heard, or nobody knows who it was.
        await withSession({ ...trial.target, database: "app" }, async (leader) => {
          for (const [text, shown] of [
            ["hold drained", "paused"],
            ["release drained", "following"],
          ]) {
            await leader.query("SELECT pg_notify('pool_control', $1)", [text]);
            await eventually(`the pools are ${shown}`, 10_000, async () => {
              const names = await leader.query<{ name: string }>(
                "SELECT application_name AS name FROM pg_stat_activity WHERE application_name LIKE 'pool-follower%'",
              );
              if (!names.every(({ name }) => name === `pool-follower ${shown}`))
                throw new Error(JSON.stringify(names));
            });
          }
        });
        if (!/pool-drain: waiting up to .* for 1 clients.*pausing: .*drained.*resuming on/s.test(log()))
          throw new Error(log());
      }),
    ]);
    expect(cut).toBeGreaterThanOrEqual(DRAIN_SECONDS);
    expect(log()).toContain("pool-drain: disconnecting 1 clients");
    docker("start", name("pool-write", 0));
    await ready("pool-write", 0, "pool-ready");
  });
});
