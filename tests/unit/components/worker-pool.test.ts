import { resolveCitusCoordinator } from "../../../components/citus-coordinator";
import { describeProblem } from "../../../components/settings/problems";
import { resolveWorkerPool, type WorkerPoolArgs } from "../../../components/worker-pool-args";

const coordinator = (parameters: Readonly<Record<string, string | number>>) =>
  resolveCitusCoordinator({ scope: "pg", parameters }).value.parameters;
const resolve = (args: Omit<WorkerPoolArgs, "coordinator">, connections = 100) =>
  resolveWorkerPool({ scope: "pg", ...args }, coordinator({ max_connections: connections }));
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

  test("take what they do not say themselves from those of all groups, parameter by parameter, and so with the timing", () => {
    const { value } = resolve({
      parameters: { work_mem: "8MB", TimeZone: "Europe/Berlin", "citus.node_connection_timeout": "7s" },
      timing: { ttlSeconds: 40, loopWaitSeconds: 2 },
      groups: [
        { group: 1, parameters: { work_mem: "16MB", timezone: "UTC" }, timing: { loopWaitSeconds: 3 } },
        { group: 2, parameters: { jit: "on" } },
      ],
    });
    const of = (name: string): unknown[] => value.groups.map(({ parameters }) => parameters[name]);
    expect(of("work_mem")).toEqual(["16MB", "8MB"]);
    expect(of("TimeZone")).toEqual(["UTC", "Europe/Berlin"]);
    expect(of("citus.node_connection_timeout")).toEqual(["7s", "7s"]);
    expect(of("jit")).toEqual(["off", "on"]);
    expect(value.groups.map(({ timing }) => timing)).toEqual([
      { ttlSeconds: 40, loopWaitSeconds: 3, retryTimeoutSeconds: 3 },
      { ttlSeconds: 40, loopWaitSeconds: 2, retryTimeoutSeconds: 3 },
    ]);
  });

  test("admit at least as many connections as the coordinators, each of whose sessions may need one", () => {
    const { value } = resolve({ memory: "1Gi" }, 300);
    expect(value.groups[0]?.parameters["max_connections"]).toBe("300");
    expect(value.groups[0]?.parameters["max_prepared_transactions"]).toBe("600");
  });
});

describe("what WorkerPool refuses (F6)", () => {
  test.each([
    [{ groups: 0 }, "workers.groups = 0: must be 1 to 100"],
    [{ groups: [] }, "workers.groups = []: must name at least one group"],
    [{ groups: [{ group: 0 }] }, "workers.groups[0].group = 0: must be 1 to 100; 0 is the coordinators'"],
    [{ groups: [{ group: 1 }, { group: 1 }] }, "workers.groups[1].group = 1: is the number of two groups"],
    [{ external: [{ group: 2, host: "db7" }] }, "workers.external[0].group = 2: is the number of two groups"],
    [{ external: [{ group: 0, host: "db7" }] }, "workers.external[0].group = 0: must be 1 to 2147483647; 0"],
    [{ external: [{ group: 7, host: "db 7" }] }, 'workers.external[0].host = "db 7": must be a DNS name'],
    [{ external: [{ group: 7, host: "db7", port: 0 }] }, "workers.external[0].port = 0: must be 1 to 65535"],
    [
      { groups: [{ group: 1 }, { group: 2, memory: "512Mi", parameters: { work_mem: "1GB" } }] },
      'workers.groups[1].parameters.work_mem = "1GB": must be less than the member\'s memory limit (512MB). Lower it, or raise workers.groups[1].memory',
    ],
    [
      { memory: "512Mi", parameters: { max_connections: 240 } },
      "workers.parameters.max_connections = 240: needs 608MB with shared_buffers (128MB) and at least 2MB per connection, more than the member's memory limit (512MB). Lower max_connections (pools need few) or shared_buffers, or raise workers.memory",
    ],
    [{ timing: { ttlSeconds: 20.5 } }, "workers.timing.ttlSeconds = 20.5: must be a whole number."],
    [
      { timing: { ttlSeconds: 3601 } },
      "workers.timing.ttlSeconds = 3601: must be at most 3600: after the loss of a leader",
    ],
    [{ cpuLimit: "5m" }, 'workers.cpuLimit = "5m": must be from 10m to 256 cores'],
    [{ cpu: 300 }, "workers.cpu = 300: must be from 1m to 256 cores"],
    [{ memory: "1Mi" }, 'workers.memory = "1Mi": must be at least 192Mi'],
    [{ memory: "99999999Ti" }, 'workers.memory = "99999999Ti": must be at most 64Ti'],
    [{ members: 1 }, "workers.members = 1: must be at least 2 in production"],
    [{ groups: [{ group: 1, members: 9 }] }, "workers.groups[0].members = 9: must be 1 to 7"],
    [
      { parameters: { "citus.recover_2pc_interval": -1 } },
      'workers.parameters.citus.recover_2pc_interval = "-1": disables 2PC recovery, which resolves prepared transactions after a failover; a disabled recovery marks a group that is being removed. Set a time, such as 10s.',
    ],
    [
      { parameters: { max_connections: 50 } },
      "workers.parameters.max_connections = 50: leaves 40 connections for non-superusers, but the coordinators open up to 85: one per session, or citus.max_shared_pool_size if that is more. Use 95 or more, or lower max_connections of the coordinators.",
    ],
    [
      { parameters: { superuser_reserved_connections: 60 } },
      "workers.parameters.max_connections = 128: leaves 68 connections",
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
