import { dev } from "../../../stacks/dev";
import { describeWithImage, docker } from "../../support/docker";
import { settingsOf } from "../../support/specs";
import { eventually } from "../../support/stack";

describeWithImage("the number of a worker group that was removed (F6)", (image) => {
  const cluster = `pg-removed-${process.pid}`;
  const stack = ["--label", `postgres-cluster.stack=${cluster}`];
  const volumeOf = (group: number): string => `${cluster}-worker-${group}-0-data`;
  const memberOf = (group: number): string => `${cluster}-worker-${group}-0`;
  const problems = (...workerGroups: number[]) =>
    dev.problems(settingsOf("dev", { cluster }), { ports: [], workerGroups });
  const refusedGroups = async (...groups: number[]): Promise<unknown[]> =>
    (await problems(...groups)).map(({ value }) => value);

  /** A member that runs with the group's data, and whose health is what `check` says. */
  const member = async (group: number, check: "true" | "false"): Promise<void> => {
    docker(
      ...[
        "run",
        "--detach",
        "--init",
        "--name",
        memberOf(group),
        ...stack,
        "--volume",
        `${volumeOf(group)}:/v`,
      ],
      ...["--health-cmd", check, "--health-interval", "1s", "--health-retries", "1"],
      ...["--entrypoint", "sleep", image, "600"],
    );
    const health = check === "true" ? "healthy" : "unhealthy";
    await eventually(`${memberOf(group)} is ${health}`, 60_000, async () => {
      const now = docker("inspect", "--format", "{{.State.Health.Status}}", memberOf(group));
      if (now !== health) throw new Error(now);
    });
  };

  beforeAll(() => {
    for (const group of [1, 3, 4]) {
      docker(
        "volume",
        "create",
        ...stack,
        "--label",
        `postgres-cluster.workload=worker-${group}`,
        volumeOf(group),
      );
    }
    for (const group of [3, 4]) {
      const mark = ["--user", "0", "--entrypoint", "touch", image, "/v/removed"];
      docker("run", "--rm", "--volume", `${volumeOf(group)}:/v`, ...mark);
    }
  });
  afterAll(() => {
    docker("rm", "--force", memberOf(3), memberOf(4));
    docker("volume", "rm", "--force", ...[1, 3, 4].map(volumeOf));
  });

  test("is not used again while its data are there; groups that are only down, or new, are no problem", async () => {
    expect(await problems(1, 2, 3)).toEqual([
      {
        setting: "workers.groups",
        value: 3,
        rule: `3 is the number of a removed group, whose data still exist (${volumeOf(3)})`,
        remedy: expect.stringMatching(
          /an unused number\. Or, .* `docker volume rm [^ ]*-worker-3-0-data`; .* `up` without the group first/,
        ),
      },
    ]);
    expect(await problems(1, 2)).toEqual([]);
  });

  test("is not used again either while a container is left that does not start with them; it is where one is well", async () => {
    await member(3, "false");
    await member(4, "true");
    expect(await refusedGroups(3, 4)).toEqual([3]);
    docker("rm", "--force", memberOf(4));
    expect(await refusedGroups(3, 4)).toEqual([3, 4]);
  });
});
