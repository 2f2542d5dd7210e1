import { describeProblem } from "../../../components/settings/problems";
import { entryWorkload, poolWorkload } from "../../../components/proxy-tier";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { resolveProxyTier } from "../../../components/proxy-tier-args";

type Parameters = Readonly<Record<string, string | number>>;

/** As of a member with 768 MiB and nothing set. */
const MEMBER: Parameters = { max_connections: 96, superuser_reserved_connections: 10 };
const problems = (args: object, parameters = MEMBER): string[] =>
  resolveProxyTier(args, { parameters }).problems.map(describeProblem);

describe("what ProxyTier refuses (F6)", () => {
  test("nothing, of its own defaults", () => {
    expect(problems({})).toEqual([]);
  });

  test("a port that is used twice", () => {
    expect(problems({ ports: { write: 6432, read: 6432 } })).toEqual([
      expect.stringMatching(
        /^proxy\.ports\.read = 6432: uses port 6432 twice: for entry 0 and for proxy\.ports\.write of entry 0;/,
      ),
      expect.stringMatching(/^proxy\.ports\.read = 6432: uses port 6442 twice: for entry 1 and/),
    ]);
  });

  test("a port that another entry has", () => {
    expect(problems({ ports: { write: 6432, read: 6442 } })).toEqual([
      expect.stringMatching(
        /^proxy\.ports\.write = 6432: uses port 6442 twice: for entry 1 and for proxy\.ports\.read of entry 0;/,
      ),
    ]);
    expect(problems({ entries: 1, ports: { write: 6432, read: 6442 } })).toEqual([]);
  });

  test("ports that are none", () => {
    expect(problems({ entries: 1, ports: { write: 80 } })).toEqual([
      "proxy.ports.write = 80: must be a port from 1024 to 65535. Use 6432, for example.",
    ]);
    expect(problems({ entries: 2, ports: { read: 65_530 } })).toEqual([
      expect.stringContaining("entry 1 would get 65540"),
    ]);
  });

  test("numbers out of their range and sizes that are none, all at once", () => {
    expect(
      problems({
        ...{ entries: 0, readPools: 10, maximumLag: "16MB", drainSeconds: 901, cpu: "much" },
        ...{ connectionsPerSecond: 100_001, maxClients: 0, databases: 0, directSessions: 0 },
      }),
    ).toEqual([
      expect.stringContaining("proxy.entries = 0: must be a whole number from 1 to 9"),
      expect.stringContaining("proxy.readPools = 10"),
      expect.stringContaining("proxy.databases = 0: must be a whole number from 1 to 100"),
      expect.stringContaining("proxy.directSessions = 0"),
      expect.stringContaining("proxy.maxClients = 0"),
      expect.stringContaining("proxy.connectionsPerSecond = 100001: must be a whole number from 1 to 100000"),
      expect.stringContaining('proxy.maximumLag = "16MB"'),
      expect.stringContaining("proxy.drainSeconds = 901: must be a whole number from 0 to 900"),
      expect.stringContaining('proxy.cpu = "much"'),
    ]);
  });
});

describe("connections of both fleets, of the entries and of the system fit into one member (F6)", () => {
  const shares = (args: object, parameters = MEMBER) => resolveProxyTier(args, { parameters }).value;
  /** The most that may be open on a leader without replicas, beside what superusers have. */
  const most = (args: { readonly databases?: number }, parameters = MEMBER): number => {
    const { entries, writePools, readPools, perDatabase, directSessions } = shares(args, parameters);
    const pools = writePools + readPools + 1;
    return pools * ((args.databases ?? 1) * perDatabase + 1) + entries * directSessions;
  };

  test("whatever is chosen: it is refused or it fits", () => {
    let fit = 0;
    for (const max_connections of [25, 50, 96, 300, 1000])
      for (const reserved of [3, 10, 40])
        for (const entries of [1, 2, 9])
          for (const pools of [1, 3, 9])
            for (const poolSize of [undefined, 1, 20, 50])
              for (const databases of [1, 4])
                for (const clients of [undefined, max_connections - 15]) {
                  const args = { entries, writePools: pools, readPools: pools, databases, poolSize };
                  const parameters = {
                    ...{ max_connections, superuser_reserved_connections: reserved },
                    ...(clients && { "citus.max_client_connections": clients }),
                  };
                  if (problems(args, parameters).length > 0) continue;
                  fit++;
                  const { poolSize: size, perDatabase } = shares(args, parameters);
                  expect(most(args, parameters)).toBeLessThanOrEqual(
                    Math.min(max_connections - reserved, clients ?? Infinity),
                  );
                  expect(perDatabase).toBeGreaterThanOrEqual(Math.max(size, 3));
                }
    expect(fit).toBeGreaterThan(100);
  });

  test("a small member gives each pool less by default, a large one twice its size for all users together", () => {
    expect(shares({})).toMatchObject({ poolSize: 14, perDatabase: 14, directSessions: 4 });
    const large = { max_connections: 500, superuser_reserved_connections: 10 };
    expect(shares({}, large)).toMatchObject({ poolSize: 20, perDatabase: 40, directSessions: 24 });
  });

  test("what cannot be met is refused, with the way out, which works", () => {
    expect(problems({ writePools: 3, poolSize: 40 })).toEqual([
      "proxy.poolSize = 40: needs more connections than a member accepts. max_connections (96) leaves 86 for non-superusers; 8 of them are for direct sessions. 6 pools share the rest (3 for writes, 2 for reads, which use the leader if no replica is left, and one extra during a replacement): 12 per pool, besides the session of its follower. Use 12 or less, use fewer pools, or raise patroni.parameters.max_connections to 264.",
    ]);
    expect(problems({ writePools: 3, poolSize: 12 })).toEqual([]);
    expect(
      problems({ writePools: 3, poolSize: 40, directSessions: 4 }, { ...MEMBER, max_connections: 264 }),
    ).toEqual([]);
    expect(problems({ writePools: 9, readPools: 9 }, { ...MEMBER, max_connections: 60 })).toEqual([
      expect.stringMatching(
        /^proxy = \{"writePools":9,"readPools":9\}: .*: 1 per pool, besides the session of its follower\. Use fewer pools, or raise patroni/,
      ),
    ]);
    expect(problems({ databases: 8, poolSize: 20 })).toEqual([
      expect.stringContaining(
        "1 per pool and database (8 databases), besides the session of its follower. Use fewer pools",
      ),
    ]);
  });

  test("the pools and the entries are told so", () => {
    const name = (workload: string, ordinal: number): string => `pg-${workload}-${ordinal}`;
    const value = shares({ directSessions: 7 });
    const addresses = { replicaName: name, replicaAddress: name };
    const served = { workload: "patroni", members: 3, name: "app" };
    const text = (spec: WorkloadSpec): string =>
      Object.values(spec.configuration ?? {})
        .flatMap(({ files }) => Object.values(files))
        .join("\n");
    for (const mode of ["primary", "replica"] as const)
      expect(
        text(poolWorkload(mode, value, served, addresses, { tls: { name: "t" }, pool: { name: "p" } })),
      ).toMatch(/^default_pool_size = 13\n[^]*^max_db_connections = 13$/m);
    const cfg = text(entryWorkload(value, served, addresses, { tls: { name: "t" } }));
    expect(cfg.match(/:5432 maxconn 7 /g)).toHaveLength(6);
    expect(cfg).toContain("use_backend direct-write if { nbsrv(direct-read) eq 0 }");
  });

  test("a single client is enough for a whole configuration", () => {
    const name = (workload: string, ordinal: number): string => `pg-${workload}-${ordinal}`;
    const addresses = { replicaName: name, replicaAddress: name };
    for (const args of [
      { maxClients: 1, entries: 1, writePools: 1, readPools: 1, connectionsPerSecond: 1 },
      { maxClients: 100_000, entries: 9, writePools: 9, readPools: 9, connectionsPerSecond: 100_000 },
    ]) {
      const parameters = { max_connections: 1000, superuser_reserved_connections: 10 };
      expect(problems(args, parameters)).toEqual([]);
      const served = { workload: "patroni", members: 1 };
      entryWorkload(shares(args, parameters), served, addresses, { tls: { name: "tls" } });
    }
  });
});

test("clients wait for a server for as long as is set, those that log in, too", () => {
  const name = (workload: string, ordinal: number): string => `pg-${workload}-${ordinal}`;
  const addresses = { replicaName: name, replicaAddress: name };
  const served = { workload: "patroni", members: 3, name: "app" };
  const secrets = { tls: { name: "tls" }, pool: { name: "pool" } };
  const { value } = resolveProxyTier({ queryWaitSeconds: 90 }, { parameters: MEMBER });
  for (const mode of ["primary", "replica"] as const) {
    const ini = poolWorkload(mode, value, served, addresses, secrets).configuration?.["/etc/pgbouncer"]
      ?.files;
    expect(ini?.["pgbouncer.ini"]).toMatch(/^query_wait_timeout = 90\nclient_login_timeout = 90$/m);
  }
  expect(problems({ queryWaitSeconds: 1 })).toEqual([
    "proxy.queryWaitSeconds = 1: must be a whole number from 5 to 3600. Use a number in that range.",
  ]);
});

describe("memory of the proxies follows the clients that they admit (F6)", () => {
  const memory = (args: object): number[] => {
    const { entryMemoryMiB, poolMemoryMiB } = resolveProxyTier(args, { parameters: MEMBER }).value;
    return [entryMemoryMiB, poolMemoryMiB];
  };

  test("by default what they may need, and never less than 256 MiB", () => {
    expect(memory({ maxClients: 10 })).toEqual([256, 256]);
    expect(memory({})).toEqual([256, 256]);
    expect(memory({ maxClients: 10_000 })).toEqual([1002, 689]);
    expect(memory({ maxClients: 10_000, writePools: 1, readPools: 3, poolSize: 3 })).toEqual([1471, 689]);
  });

  test("or what is set, if it suffices", () => {
    expect(memory({ memory: "2Gi" })).toEqual([2048, 2048]);
    expect(problems({ memory: "2Gi", maxClients: 10_000 })).toEqual([]);
    expect(problems({ memory: "1Gi", maxClients: 20_000, writePools: 1, readPools: 1 })).toEqual([
      'proxy.memory = "1Gi": must be at least 1314Mi, which a PgBouncer with proxy.maxClients (20000) sessions may need: otherwise the kernel may kill it with all its sessions. Use 1314Mi or more, or lower proxy.maxClients.',
    ]);
    expect(problems({ memory: "512Mi", maxClients: 6000 })).toEqual([
      expect.stringContaining(
        "must be at least 627Mi, which an HAProxy with the sessions of all pools of one kind (12000)",
      ),
    ]);
    expect(problems({ memory: "32Mi" })).toEqual([
      expect.stringContaining("must be at least 64Mi: HAProxy and"),
    ]);
    expect(problems({ memory: "512" })).toEqual([
      expect.stringContaining("must be a whole number with the unit Mi"),
    ]);
  });
});

describe("how long a member that is stopped lets its sessions go on", () => {
  const name = (workload: string, ordinal: number): string => `pg-${workload}-${ordinal}`;
  const addresses = { replicaName: name, replicaAddress: name };
  const served = { workload: "patroni", members: 3, name: "app" };
  const secrets = { tls: { name: "tls" }, pool: { name: "pool" } };
  const drains = (args: object) => {
    const { value } = resolveProxyTier({ drainSeconds: 40, ...args }, { parameters: MEMBER });
    const specs = [
      entryWorkload(value, served, addresses, secrets),
      poolWorkload("primary", value, served, addresses, secrets),
      poolWorkload("replica", value, served, addresses, secrets),
    ];
    return specs.map(({ env, stopGraceSeconds }) => [env?.["DRAIN_SECONDS"], stopGraceSeconds]);
  };

  test("as the setting says, and the platform waits for that and for the end", () => {
    expect(drains({})).toEqual([
      ["40", 55],
      ["40", 70],
      ["40", 70],
    ]);
  });

  test("not at all where nobody stands in for it; pools for writes do for one for reads", () => {
    expect(drains({ entries: 1, writePools: 1, readPools: 1 })).toEqual([
      ["0", 15],
      ["0", 30],
      ["40", 70],
    ]);
  });
});
