import { haproxyCfg, type HaproxyInput } from "../../../../config-files/haproxy/haproxy";
import { haproxyProblems } from "../../../../config-files/haproxy/settings";
import { expectGolden } from "../../../support/golden";

const servers = (workload: string, count: number, domain: (name: string) => string = (name) => name) =>
  Array.from({ length: count }, (_, ordinal) => {
    const name = `pg-dev-${workload}-${ordinal}`;
    return { name, address: domain(name) };
  });

const dev: HaproxyInput = {
  ports: { write: 6432, read: 6433, directWrite: 5432, directRead: 5433, statistics: 7000 },
  serverPorts: { pool: 6432, poolAgent: 6434, postgres: 5432, patroniRest: 8008 },
  writePools: servers("pool-write", 2),
  readPools: servers("pool-read", 2),
  members: servers("patroni", 3),
  maximumReplicaLagBytes: 16 * 1024 * 1024,
};

const inCluster = (workload: string) => (name: string) =>
  `${name}.pg-dev-${workload}.databases.svc.cluster.local`;

test("two pools of each kind before three members", () => {
  expectGolden("config-files/haproxy/dev.cfg", haproxyCfg(dev));
});

test("one of everything", () => {
  const one = {
    ...dev,
    writePools: servers("pool-write", 1),
    readPools: servers("pool-read", 1),
    members: servers("patroni", 1),
  };
  expectGolden("config-files/haproxy/single.cfg", haproxyCfg(one));
});

test("long names on Kubernetes, and every setting", () => {
  const cfg = haproxyCfg({
    ...dev,
    writePools: servers("pool-write", 3, inCluster("pool-write")),
    readPools: servers("pool-read", 4, inCluster("pool-read")),
    members: servers("patroni", 5, inCluster("patroni")),
    settings: {
      maxConnections: 10_000,
      maxConnectionsPerPool: 5000,
      maxDirectConnections: 50,
      maxConnectionsPerSource: 1000,
      maxConnectionRatePerSource: 300,
      queueSeconds: 5,
      leaderWaitSeconds: 2,
      poolWaitSeconds: 1,
      idleHours: 8,
      drainSeconds: 60,
    },
  });
  expectGolden("config-files/haproxy/kubernetes.cfg", cfg);
});

test("settings out of range, unknown or no numbers are refused, all at once", () => {
  const settings = { maxConnections: 1, queueSeconds: 2.5, maxConections: 3 };
  const problems = [
    "maxConnections: 1 must be a whole number from 10 to 1000000",
    "queueSeconds: 2.5 must be a whole number from 1 to 600",
  ];
  expect(haproxyProblems(settings)).toEqual([
    ...problems,
    expect.stringMatching(/^maxConections: unknown setting; use one of /),
  ]);
  expect(() => haproxyCfg({ ...dev, settings })).toThrow(problems.join("\n"));
});

test("every check is verified against the member's own name", () => {
  const checks = haproxyCfg(dev)
    .split("\n")
    .filter((line) => line.includes("check-ssl"));
  expect(checks).toHaveLength(6);
  for (const line of checks) {
    const address = /^\s+server \S+ ([^:]+):/.exec(line)?.[1] ?? "";
    expect(line).toContain(
      `check-ssl verify required ca-file /secrets/tls/ca.crt verifyhost ${address} check-sni ${address}`,
    );
  }
});
