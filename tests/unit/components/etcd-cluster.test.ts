import { resolveEtcdCluster } from "../../../components/etcd-cluster";
import { describeProblem } from "../../../components/settings/problems";

const problems = (args: object): string[] =>
  resolveEtcdCluster({ scopes: ["pg"], ...args }).problems.map(describeProblem);

describe("what EtcdCluster refuses (F6)", () => {
  test("nothing, of its own defaults", () => {
    expect(problems({})).toEqual([]);
    expect(resolveEtcdCluster({ scopes: ["pg"] }).value).toMatchObject({
      members: 3,
      quotaMiB: 256,
      memoryMiB: 512,
    });
  });

  test.each([2, 4, 0, 7])("%p members, which tolerate no more failures than fewer would", (members) => {
    expect(problems({ members })).toEqual([
      `etcd.members = ${members}: must be 3 or 5: etcd needs a majority, so an even number tolerates no more failures than one member fewer. Use 3, or 5 to survive two simultaneous failures.`,
    ]);
  });

  test("a number of members that is no whole one", () => {
    expect(problems({ members: 1.5 })).toEqual([
      "etcd.members = 1.5: must be a whole number. Write 2, for example, without quotes.",
    ]);
  });

  test("a single member in production, and only there", () => {
    expect(problems({ members: 1 })).toEqual([
      "etcd.members = 1: must be 3 or 5 in production: without its only member, no failover is possible. Use 3.",
    ]);
    expect(problems({ members: 1, production: false })).toEqual([]);
  });

  test("sizes that are none, and a quota that leaves no room to defragment, all at once", () => {
    expect(problems({ members: 4, memory: "512", cpu: "two", cpuLimit: "much", quota: "2Gi" })).toEqual([
      expect.stringContaining("etcd.members = 4"),
      'etcd.memory = "512": must be a whole number with the unit Mi, Gi or Ti. Use 512Mi, for example.',
      'etcd.cpu = "two": must be a number of cores with at most three decimals, or thousandths of a core with the unit m. Use 1 or 500m, for example.',
      expect.stringContaining('etcd.cpuLimit = "much": must be a number of cores'),
      'etcd.quota = "2Gi": must be at most half of etcd.volumeSize (2Gi): defragmentation writes the database a second time. Lower the quota or enlarge the volume.',
    ]);
  });
});
