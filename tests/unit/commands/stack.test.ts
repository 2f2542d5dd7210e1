import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { groupStatuses } from "../../../commands/status";
import { callOf, numberOf } from "../../../commands/call";
import { clusterOf } from "../../../commands/cluster";
import { CommandError, UnreachableError } from "../../../commands/command-error";
import { chosenGroup, leader } from "../../../commands/groups";
import {
  clusterDomain,
  clusterName,
  databaseName,
  externalWorkers,
  make,
  ownerPlace,
  stackOf,
} from "../../../commands/stack";
import { STATE } from "../../../commands/programs";
import type { ClusterMember, ClusterMembers } from "../../../components/reach/cluster-members";

describe("how a command was called (S6)", () => {
  test("words, variables and JSON", () => {
    const call = callOf(["--json", "-c", "SELECT 1"], { STACK: "prod", GROUP: "2", TO: "" });
    expect({ json: call.json, args: call.args, stack: call.stack.name }).toEqual({
      json: true,
      args: ["-c", "SELECT 1"],
      stack: "prod",
    });
    expect([call.variable("GROUP"), call.variable("TO"), call.variable("NONE")]).toEqual([
      "2",
      undefined,
      undefined,
    ]);
    expect([{ JSON: "1" }, { JSON: "0" }, { JSON: "" }, {}].map((env) => callOf([], env).json)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(callOf([], {}).stack.name).toBe("dev");
  });

  test("a number that is none is refused, as wrong usage", () => {
    const limit = (LIMIT?: string): number => numberOf(callOf([], { LIMIT }), "LIMIT", 20);
    expect([limit(), limit("5")]).toEqual([20, 5]);
    expect(() => limit("-1")).toThrow(
      expect.objectContaining({ exitCode: 2, message: 'LIMIT is "-1": it must be a whole number' }),
    );
  });

  test("how a command is called for a stack", () => {
    expect([make({ name: "dev" }, "up"), make({ name: "prod" }, "up")]).toEqual([
      "'make up'",
      "'make up STACK=prod'",
    ]);
  });
});

describe("what a stack's settings say of its cluster", () => {
  const folder = mkdtempSync(join(tmpdir(), "stack-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (name: string, config: object) => {
    const stack = stackOf({ STACK: name, STACK_FOLDER: folder });
    writeFileSync(stack.settings, JSON.stringify({ config }));
    return stack;
  };

  test("with defaults, as the program has them", () => {
    expect(stackOf({})).toMatchObject({ name: "dev", state: STATE });
    const dev = written("dev", {});
    expect([clusterName(dev), databaseName(dev), ownerPlace(dev)]).toEqual([
      "pg-dev",
      "app",
      { via: "docker", cluster: "pg-dev" },
    ]);
    expect([clusterDomain(dev), externalWorkers(dev)]).toEqual(["cluster.local", []]);
    expect(ownerPlace(written("prod", {}))).toEqual({
      via: "kubernetes",
      cluster: "pg-prod",
      namespace: "postgres",
    });
  });

  test("as they are written", () => {
    const stack = written("staging", {
      "postgres-cluster:environment": "prod",
      "postgres-cluster:cluster": "orders",
      "postgres-cluster:namespace": "db",
      "postgres-cluster:patroni": { database: "shop" },
      "postgres-cluster:kubernetes": { clusterDomain: "example.org" },
      "postgres-cluster:workers": { external: [{ group: 7, host: "db7" }] },
    });
    expect(ownerPlace(stack)).toEqual({ via: "kubernetes", cluster: "orders", namespace: "db" });
    expect([databaseName(stack), clusterDomain(stack)]).toEqual(["shop", "example.org"]);
    expect(externalWorkers(stack)).toEqual([{ group: 7, host: "db7" }]);
  });

  test("a stack without settings is wrong usage", () => {
    const stack = stackOf({ STACK: "nowhere", STACK_FOLDER: folder });
    expect(() => clusterName(stack)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: expect.stringContaining("set STACK to the name of a stack"),
      }),
    );
  });
});

describe("commands over any platform (S6)", () => {
  const folder = mkdtempSync(join(tmpdir(), "stack-"));
  const stack = stackOf({ STACK: "prod", STACK_FOLDER: folder });
  writeFileSync(stack.settings, "config: {}\n");
  afterAll(() => rmSync(folder, { recursive: true }));
  const member = (name: string, workload: string, state = "running"): ClusterMember => ({
    ...{ name, workload, state, readiness: "ready", status: "", address: name, node: "", restarts: 0 },
  });
  const reached = (over: Partial<ClusterMembers>): ReturnType<typeof clusterOf> =>
    clusterOf(stack, { platform: "the platform", ...over } as ClusterMembers);
  const list = (...members: ClusterMember[]) => ({ list: () => Promise.resolve(members) });

  test("a platform that does not answer is unreachable, and the output of a failed command is in the error", async () => {
    const away = reached({ list: () => Promise.reject(new Error("connect ECONNREFUSED")) });
    await expect(away.members()).rejects.toThrow(UnreachableError);
    await expect(away.members()).rejects.toMatchObject({
      ...{
        exitCode: 2,
        message: "the platform cannot be reached: connect ECONNREFUSED. 'make doctor STACK=prod' shows more",
      },
    });
    const failing = reached({
      execute: () => Promise.resolve({ exitCode: 3, stdout: "", output: "no such file" }),
    });
    await expect(failing.execute("a", ["cat", "x"])).rejects.toThrow(
      new CommandError("cat in a failed (3): no such file"),
    );
    const late = reached({ execute: () => Promise.resolve({ exitCode: 124, stdout: "", output: "" }) });
    await expect(late.execute("a", ["timeout", "20", "patronictl", "list"])).rejects.toThrow(
      new CommandError("patronictl in a did not finish within 20 s"),
    );
  });

  test("GROUP chooses among the groups that there are, the coordinators by default", async () => {
    const cluster = reached(list(member("w", "worker-1"), member("c", "coordinator"), member("e", "etcd")));
    const chosen = (GROUP?: string) => chosenGroup(cluster, callOf([], { GROUP }));
    expect([await chosen(), await chosen("1")]).toEqual([
      { workload: "coordinator", number: 0 },
      { workload: "worker-1", number: 1 },
    ]);
    await expect(chosen("2")).rejects.toMatchObject({
      exitCode: 2,
      message: "the stack prod has no group 2: GROUP is one of 0, 1",
    });
    await expect(chosenGroup(reached(list()), callOf([], {}))).rejects.toThrow(
      "start it with 'make up STACK=prod'",
    );
  });

  test("a group whose members do not answer is reported as such, not as one without a leader", async () => {
    const asked = [member("p", "patroni")];
    const silent = reached({
      ...list(...asked),
      execute: () => Promise.resolve({ exitCode: 124, stdout: "", output: "" }),
    });
    expect(await groupStatuses(silent, asked)).toEqual([
      expect.objectContaining({
        members: [],
        leaderless: {
          seen: "no member reports the state of the group: patronictl in p did not finish within 20 s",
          remedy: "run 'make doctor STACK=prod'",
        },
      }),
    ]);
  });

  test("who leads is asked of members that run, in the group that is meant", async () => {
    const asked: string[] = [];
    const answers = { a: "[]", b: JSON.stringify([{ Member: "b", Role: "Leader", State: "running" }]) };
    const cluster = (answering: "a" | "b") =>
      reached({
        ...list(member("x", "worker-1", "exited"), member(answering, "worker-1")),
        execute: (name, command) => {
          asked.push(`${name}: ${command.join(" ")}`);
          return Promise.resolve({ exitCode: 0, stdout: answers[answering], output: "a warning" });
        },
      });
    expect(await leader(cluster("b"), { workload: "worker-1", number: 1 })).toBe("b");
    expect(asked).toEqual(["b: timeout 20 patronictl list --group 1 --format json"]);
    await expect(leader(cluster("a"), { workload: "worker-1", number: 1 })).rejects.toThrow(
      "worker-1 has no leader at the moment: 'make doctor STACK=prod' shows why",
    );
    await expect(
      leader(reached(list(member("x", "patroni", "exited"))), { workload: "patroni" }),
    ).rejects.toThrow("no patroni member of the stack prod is running (x: exited)");
  });
});
