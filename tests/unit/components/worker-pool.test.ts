import { describeProblem } from "../../../components/problems";
import { resolveWorkerPool, type WorkerPoolArgs } from "../../../components/worker-pool-args";

const resolve = (args: Omit<WorkerPoolArgs, "coordinator">, connections = 100) =>
  resolveWorkerPool({ scope: "pg", ...args }, connections);
const problems = (args: Omit<WorkerPoolArgs, "coordinator">, connections?: number): string[] =>
  resolve(args, connections).problems.map(describeProblem);

describe("worker groups (D1)", () => {
  test("by default two of two members each", () => {
    const { value } = resolve({});
    expect(value.groups.map(({ group, members }) => [group, members])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(problems({})).toEqual([]);
  });

  test("a list keeps its numbers, and each group may differ", () => {
    const { value } = resolve({
      memory: "2Gi",
      groups: [{ group: 4 }, { group: 2, members: 3, memory: "4Gi" }],
    });
    expect(value.groups.map(({ group, members, memoryMiB }) => [group, members, memoryMiB])).toEqual([
      [4, 2, 2048],
      [2, 3, 4096],
    ]);
  });

  test("admit at least as many connections as the coordinators, each of whose sessions may need one", () => {
    const { value } = resolve({ memory: "1Gi" }, 300);
    expect(value.groups[0]?.parameters["max_connections"]).toBe("300");
    expect(value.groups[0]?.parameters["max_prepared_transactions"]).toBe("600");
  });
});

describe("what WorkerPool refuses (issue B 9)", () => {
  test.each([
    [{ groups: 0 }, "workers.groups = 0: must be 1 to 100"],
    [{ groups: [] }, "workers.groups = []: must name at least one group"],
    [{ groups: [{ group: 0 }] }, "workers.groups[0].group = 0: must be 1 to 100; 0 is the coordinators'"],
    [{ groups: [{ group: 1 }, { group: 1 }] }, "workers.groups[1].group = 1: is the number of two groups"],
    [{ external: [{ group: 2, host: "db7" }] }, "workers.external[0].group = 2: is the number of two groups"],
    [{ external: [{ group: 0, host: "db7" }] }, "workers.external[0].group = 0: must be 1 or more"],
    [{ external: [{ group: 7, host: "db 7" }] }, 'workers.external[0].host = "db 7": must be a DNS name'],
    [{ external: [{ group: 7, host: "db7", port: 0 }] }, "workers.external[0].port = 0: must be 1 to 65535"],
    [{ members: 1 }, "workers.members = 1: must be at least 2 in production"],
    [{ groups: [{ group: 1, members: 9 }] }, "workers.groups[0].members = 9: must be 1 to 7"],
    [
      { parameters: { max_connections: 50 } },
      "workers.parameters.max_connections = 50: must not be below the coordinators' (100)",
    ],
    [
      { parameters: { "citus.node_conninfo": "sslmode=disable" } },
      'workers.parameters.citus.node_conninfo = "sslmode=disable": is always sslmode=verify-full',
    ],
  ])("%j", (args, message) => {
    expect(problems(args)).toEqual([expect.stringContaining(message)]);
  });

  test("a group of one member is a trial's", () => {
    expect(problems({ members: 1, production: false })).toEqual([]);
  });
});
