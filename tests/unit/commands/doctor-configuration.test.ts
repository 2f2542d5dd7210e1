import type { Cluster } from "../../../commands/cluster";
import { checkConfiguration } from "../../../commands/doctor/configuration";
import type { ClusterMember } from "../../../components/reach/cluster-members";

const member: ClusterMember = {
  ...{ name: "a", workload: "patroni", state: "running", readiness: "ready", status: "Up" },
  ...{ address: "a", node: "m", restarts: 0 },
};
const REFUSED = [{ about: "work_mem", said: "0kB is outside the valid range" }];

/** A cluster whose member's `postgres-judge` refuses these questions. */
const cluster = (...refused: readonly string[]): Cluster =>
  ({
    stack: { name: "demo", settings: "", state: "" },
    execute: (_: string, command: readonly string[]) =>
      Promise.resolve(JSON.stringify(refused.includes(command[1] ?? "") ? REFUSED : [])),
  }) as unknown as Cluster;

describe("doctor on settings that PostgreSQL rejects (S6, F8)", () => {
  const remedy =
    "correct the setting and run 'make up STACK=demo', which writes the configuration before it waits for members: docs/runbooks/no-leader.md";

  test("there is no finding if it takes all", async () => {
    expect(await checkConfiguration(cluster(), "patroni", [member])).toEqual([]);
  });

  test("of a member's files", async () => {
    expect(await checkConfiguration(cluster("--applied"), "patroni", [member])).toEqual([
      {
        ...{ part: "a", ok: false, remedy },
        seen: "PostgreSQL rejects its configuration files: 0kB is outside the valid range",
      },
    ]);
  });

  test("of the configuration that the next start would read", async () => {
    expect(await checkConfiguration(cluster("--live"), "patroni", [member])).toEqual([
      {
        ...{ part: "patroni configuration", ok: false, remedy },
        seen: "a member that stops would not start again, because PostgreSQL rejects the configuration: work_mem: 0kB is outside the valid range",
      },
    ]);
  });
});
