import { describeProblem } from "../../../components/problems";
import { entryWorkload, poolWorkload } from "../../../components/proxy-tier";
import { resolveProxyTier } from "../../../components/proxy-tier-args";

const problems = (args: object, connections = 90): string[] =>
  resolveProxyTier(args, connections).problems.map(describeProblem);

describe("what ProxyTier refuses (F6, issue A 12)", () => {
  test("nothing, of its own defaults", () => {
    expect(problems({})).toEqual([]);
  });

  test("a port that is used twice", () => {
    expect(problems({ ports: { write: 6432, read: 6432 } })).toEqual([
      expect.stringMatching(
        /^proxy\.ports\.read = 6432: uses port 6432 a second time \(for entry 0\): proxy\.ports\.write of entry 0 has it/,
      ),
      expect.stringMatching(/^proxy\.ports\.read = 6432: uses port 6442 a second time \(for entry 1\)/),
    ]);
  });

  test("a port that another entry has", () => {
    expect(problems({ ports: { write: 6432, read: 6442 } })).toEqual([
      expect.stringMatching(
        /^proxy\.ports\.write = 6432: uses port 6442 a second time \(for entry 1\): proxy\.ports\.read of entry 0 has it/,
      ),
    ]);
    expect(problems({ entries: 1, ports: { write: 6432, read: 6442 } })).toEqual([]);
  });

  test("ports that are none", () => {
    expect(problems({ entries: 1, ports: { write: 80 } })).toEqual([
      "proxy.ports.write = 80: must give every entry a port from 1024 to 65535 (entry 0 would get 80). Use for instance 6432.",
    ]);
    expect(problems({ entries: 2, ports: { read: 65_530 } })).toEqual([
      expect.stringContaining("entry 1 would get 65540"),
    ]);
  });

  test("pools that would open more connections than the database admits", () => {
    expect(problems({ writePools: 3, poolSize: 40 }, 100)).toEqual([
      expect.stringMatching(
        /^proxy\.poolSize = 40: times the pools of one fleet \(3\) is 120 and would exceed .* \(.*100\)/,
      ),
    ]);
  });

  test("numbers out of their range and sizes that are none, all at once", () => {
    expect(
      problems({ entries: 0, readPools: 10, maximumLag: "16MB", drainSeconds: 901, cpu: "much" }),
    ).toEqual([
      expect.stringContaining("proxy.entries = 0: must be a whole number from 1 to 9"),
      expect.stringContaining("proxy.readPools = 10"),
      expect.stringContaining("proxy.drainSeconds = 901: must be a whole number from 0 to 900"),
      expect.stringContaining("proxy.poolSize = 20"),
      expect.stringContaining('proxy.maximumLag = "16MB"'),
      expect.stringContaining('proxy.cpu = "much"'),
    ]);
  });
});

describe("how long a member that is stopped lets its sessions go on", () => {
  const name = (workload: string, ordinal: number): string => `pg-${workload}-${ordinal}`;
  const addresses = { replicaName: name, replicaAddress: name };
  const served = { workload: "patroni", members: 3, name: "app" };
  const secrets = { tls: { name: "tls" }, pool: { name: "pool" } };
  const drains = (args: object) => {
    const { value } = resolveProxyTier({ drainSeconds: 40, ...args }, 90);
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
