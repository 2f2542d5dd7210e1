import { dev } from "../../../stacks/dev";
import { describeWithImage, docker } from "../../support/docker";
import { settingsOf } from "../../support/specs";

describeWithImage("the number of a worker group that was removed (F6)", (image) => {
  const cluster = `pg-removed-${process.pid}`;
  const volumeOf = (group: number): string => `${cluster}-worker-${group}-0-data`;
  const inVolume = (name: string, script: string, ...options: string[]): string =>
    docker("run", ...options, "--volume", `${name}:/v`, "--user=0", "--entrypoint=sh", image, "-c", script);
  const problems = (...workerGroups: number[]) =>
    dev.problems(settingsOf("dev", { cluster }), { ports: [], workerGroups });

  beforeAll(() => {
    for (const group of [1, 3]) {
      const labels = [`postgres-cluster.stack=${cluster}`, `postgres-cluster.workload=worker-${group}`];
      docker("volume", "create", ...labels.flatMap((label) => ["--label", label]), volumeOf(group));
    }
    inVolume(volumeOf(3), "echo removed > /v/removed", "--rm");
  });
  afterAll(() => {
    docker("rm", "--force", `${cluster}-member`);
    docker("volume", "rm", "--force", volumeOf(1), volumeOf(3));
  });

  test("is not used again while its data are there; groups that are only down, or new, are no problem", async () => {
    expect(await problems(1, 2, 3)).toEqual([
      {
        setting: "workers.groups",
        value: 3,
        rule: `3 is the number of a group that was removed, and its data are still there (${volumeOf(3)})`,
        remedy: expect.stringMatching(
          /a number that none had; or, .* `docker volume rm .*-worker-3-0-data`$/,
        ),
      },
    ]);
    expect(await problems(1, 2)).toEqual([]);
  });

  test("is its own as long as its containers are there: a removal that was interrupted goes on", async () => {
    const labels = ["--label", `postgres-cluster.stack=${cluster}`];
    inVolume(volumeOf(3), "sleep 600", "--detach", "--init", "--name", `${cluster}-member`, ...labels);
    expect(await problems(3)).toEqual([]);
  });
});
