import { abandonedVolumes } from "../../../components/platform/docker/existing-data";
import { describeWithImage, docker } from "../../support/docker";
import { eventually } from "../../support/stack";

const MARK = "removed";

describeWithImage("data that a removed worker group has left (F6)", (image) => {
  const cluster = `pg-left-${process.pid}`;
  const made: string[] = [];
  const label = `postgres-cluster.stack=${cluster}`;

  afterAll(() => {
    for (const name of made) docker("rm", "--force", name);
    for (const name of made) docker("volume", "rm", `${name}-data`);
  });

  /** A member whose volume holds the mark, and whose health is what `check` says. */
  const member = (name: string, check: string): void => {
    const container = `${cluster}-${name}`;
    made.push(container);
    docker(
      ...["volume", "create", "--label", label, "--label", "postgres-cluster.workload=worker-3"],
      `${container}-data`,
    );
    docker(
      ...["run", "--detach", "--name", container, "--label", label, "--user", "0"],
      ...[
        "--volume",
        `${container}-data:/data`,
        "--health-cmd",
        check,
        "--health-interval",
        "1s",
        "--health-retries",
        "1",
      ],
      ...["--entrypoint", "sh", image, "-c", `touch /data/${MARK}; exec sleep 300`],
    );
  };
  const becomes = (name: string, health: string): Promise<void> =>
    eventually(`${name} is ${health}`, 60_000, async () => {
      const now = docker("inspect", "--format", "{{.State.Health.Status}}", `${cluster}-${name}`);
      if (now !== health) throw new Error(now);
    });

  test("is found also while a container is left that does not start with them, and not under one that is well", async () => {
    member("well", "true");
    member("stuck", "false");
    await becomes("well", "healthy");
    await becomes("stuck", "unhealthy");
    const found = async (): Promise<string[]> =>
      (await abandonedVolumes(cluster, ["worker-3"], MARK)).map(({ volume }) => volume);
    expect(await found()).toEqual([`${cluster}-stuck-data`]);
    expect(await abandonedVolumes(cluster, ["worker-4"], MARK)).toEqual([]);
    docker("rm", "--force", `${cluster}-stuck`);
    expect(await found()).toEqual([`${cluster}-stuck-data`]);
  });
});
