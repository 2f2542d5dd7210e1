import { allReadyProvider } from "../../../components/platforms/docker/all-ready";
import { containerReadyProvider } from "../../../components/platforms/docker/container-ready";
import { mountedFilesProvider } from "../../../components/platforms/docker/mounted-files";
import { handoverProvider } from "../../../components/platforms/docker/handover";
import { describeWithImage, docker } from "../../support/docker";
import { served } from "../../support/served";

describeWithImage("resources on a Docker engine", (image) => {
  const prefix = `resources-test-${process.pid}`;
  const started: string[] = [];
  const volumes: string[] = [];
  const volume = (name: string): string => {
    volumes.push(`${prefix}-${name}`);
    return docker("volume", "create", "--label", "kept=yes", `${prefix}-${name}`);
  };
  /** A container that sleeps, or runs a script of a shell. */
  const container = (name: string, script = "sleep 600 & wait", ...options: string[]): string => {
    started.push(`${prefix}-${name}`);
    const common = ["run", "-d", "--name", `${prefix}-${name}`, "--user", "10001:10001", "--init"];
    docker(...common, ...options, "--entrypoint", "/bin/sh", image, "-c", script);
    return `${prefix}-${name}`;
  };
  afterAll(() => {
    for (const name of started) docker("rm", "-f", name);
    for (const name of volumes) docker("volume", "rm", "-f", name);
  });

  describe("files in a volume", () => {
    const read = (name: string, command: string): string =>
      docker(
        "run",
        "--rm",
        "--user",
        "10001:10001",
        "-v",
        `${name}:/f:ro`,
        "--entrypoint",
        "/bin/sh",
        image,
        "-c",
        command,
      );

    test("are written, kept, mended, changed without a reader, and leave no helper", async () => {
      const { provider } = served(mountedFilesProvider);
      const name = volume("files");
      const inputs = { volume: name, owner: 10001, files: { "a.key": "one\n", b: "two" } };
      expect(await provider.create(inputs)).toEqual({ id: name, outs: inputs });
      expect(read(name, "cat /f/a.key /f/b; stat -Lc '%u:%g %a' /f/a.key /f")).toBe(
        "one\ntwo10001:10001 400\n10001:10001 700",
      );
      expect(await provider.read(name, inputs)).toMatchObject({ id: name });

      const changed = { ...inputs, files: { b: "three" } };
      await provider.update(name, inputs, changed);
      expect(read(name, "ls /f; cat /f/b")).toBe("b\nthree");
      expect(docker("volume", "inspect", "-f", "{{.Labels.kept}}", name)).toBe("yes");
      expect(await provider.read(name, inputs)).toEqual({});

      docker("volume", "rm", name);
      expect(await provider.read(name, changed)).toEqual({});
      expect(docker("ps", "-aq", "--filter", `label=postgres-cluster.helper=${name}`)).toBe("");
    });

    test("change in one step under a program that reads them all the time", async () => {
      const { provider } = served(mountedFilesProvider);
      const name = volume("live");
      const files = (version: number) => ({
        a: `${version}\n`.repeat(2000),
        gone: "x",
        [`only-${version}`]: "x",
      });
      const inputs = (version: number) => ({ volume: name, owner: 10001, files: files(version) });
      await provider.create(inputs(0));
      // Counts reads that fail or see two versions in one file.
      const script =
        'n=0; bad=0; while :; do v=$(uniq /f/a 2>&1 | wc -l); n=$((n+1)); [ "$v" = 1 ] || bad=$((bad+1)); echo "$n $bad" > /tmp/seen; done';
      const reader = container("reader", script, "-v", `${name}:/f:ro`, "--tmpfs", "/tmp:mode=1777");
      for (let version = 1; version <= 4; version++)
        await provider.update(name, inputs(version - 1), inputs(version));
      const [reads, bad] = docker("exec", reader, "cat", "/tmp/seen").split(" ").map(Number);
      expect(reads).toBeGreaterThan(100);
      expect(bad).toBe(0);
      expect(docker("exec", reader, "sh", "-c", "ls /f; head -1 /f/a")).toBe("a\ngone\nonly-4\n4");
      // `..data`, its version, and the one before, which a reader may be about to open.
      expect(docker("exec", reader, "sh", "-c", "ls -A /f | grep -c '^\\.\\.'")).toBe("3");
    });

    test("a helper that a killed run has left is cleared away", async () => {
      const { provider } = served(mountedFilesProvider);
      const name = volume("left");
      const left = docker(
        "create",
        "--label",
        `postgres-cluster.helper=${name}`,
        "-v",
        `${name}:/files`,
        image,
      );
      await provider.create({ volume: name, owner: 10001, files: { a: "1" } });
      expect(docker("ps", "-aq", "--no-trunc", "--filter", `id=${left}`)).toBe("");
      await provider.delete(name, { volume: name, owner: 10001, files: {} });
      docker("volume", "rm", name);
    });
  });

  describe("a turn", () => {
    const inputs = (name: string, digest: string, ...command: string[]) => ({
      container: name,
      digest,
      handover: { command, timeoutSeconds: 2 },
    });

    test("hands over before the member is replaced, and only then", async () => {
      const { provider } = served(handoverProvider);
      const name = container("turn", "sleep 600 & wait", "--tmpfs", "/tmp:mode=1777");
      const said = ["sh", "-c", "echo over >> /tmp/said"];
      await provider.create(inputs(name, "1", ...said));
      await provider.update(name, inputs(name, "1", "false"), inputs(name, "1", ...said));
      expect(() => docker("exec", name, "cat", "/tmp/said")).toThrow("No such file");
      await provider.update(name, inputs(name, "1", ...said), inputs(name, "2", ...said));
      expect(docker("exec", name, "cat", "/tmp/said")).toBe("over");
    });

    test("that begins takes over a container of the cluster that another state made, and no stranger's", async () => {
      const { provider } = served(handoverProvider);
      const adopted = container("adopted", "sleep 600 & wait", "--label", `postgres-cluster.stack=${prefix}`);
      const others = container("others", "sleep 600 & wait", "--label", "postgres-cluster.stack=others");
      const strange = container("strange");
      for (const name of [adopted, others, strange]) await provider.create(inputs(name, "1", "true"));
      const left = docker("ps", "--all", "--filter", `name=${prefix}-`, "--format", "{{.Names}}").split("\n");
      expect(left).toEqual(expect.arrayContaining([others, strange]));
      expect(left).not.toContain(adopted);
    });

    test("that cannot hand over fails with what was said", async () => {
      const { provider } = served(handoverProvider);
      const name = container("stuck");
      const change = (...command: string[]) =>
        provider.update(name, inputs(name, "1", "x"), inputs(name, "2", ...command));
      await expect(change("sh", "-c", "echo no candidate >&2; exit 4")).rejects.toThrow(
        /cannot hand over.*failed with exit code 4\.\nno candidate/s,
      );
      await expect(change("sleep", "30")).rejects.toThrow("did not end within 2 s");
    });

    test("of a member that is gone, or does not run, is over at once", async () => {
      const { provider } = served(handoverProvider);
      const name = `${prefix}-none`;
      await provider.update(name, inputs(name, "1", "false"), inputs(name, "2", "false"));
      const stopped = container("stopped", "exit 3");
      docker("wait", stopped);
      await provider.update(stopped, inputs(stopped, "1", "false"), inputs(stopped, "2", "false"));
    });
  });

  describe("readiness", () => {
    const member = (name: string, digest = "1") => ({
      container: name,
      digest,
      readiness: { command: ["test", "-e", "/tmp/ready"], timeoutSeconds: 2 },
    });
    const healthy = (script: string, name: string): string =>
      container(
        name,
        script,
        "--tmpfs",
        "/tmp:mode=1777",
        "--health-cmd",
        "test -e /tmp/ready",
        "--health-interval",
        "60s",
        "--restart",
        "unless-stopped",
      );

    test("of all members is awaited, without waiting for the engine's own first look", async () => {
      const { provider } = served(allReadyProvider);
      const names = [
        healthy("sleep 1; touch /tmp/ready; sleep 600", "ready-0"),
        healthy("touch /tmp/ready; sleep 600", "ready-1"),
      ];
      const inputs = { workload: "w", members: names.map((n) => member(n)), deadlineSeconds: 60 };
      const before = Date.now();
      expect(await provider.create(inputs)).toEqual({ id: "w", outs: inputs });
      expect(Date.now() - before).toBeLessThan(20_000);
      expect(await provider.read("w", inputs)).toMatchObject({ id: "w" });
      docker("rm", "-f", names[0]!);
      expect(await provider.read("w", inputs)).toEqual({});
    });

    test("fails early for a member that restarts again and again, with the end of its log", async () => {
      const { provider } = served(containerReadyProvider);
      const name = healthy("echo cannot open the data directory >&2; exit 9", "broken");
      const inputs = { ...member(name), deadlineSeconds: 100 };
      await provider.create(inputs);
      const before = Date.now();
      const failure = await provider
        .update(name, inputs, { ...inputs, digest: "2" })
        .catch((error: unknown) => error);
      expect((failure as Error).message).toMatch(
        /0 of 1 ready, gave up after .*exit code 9, restarted \d+ times.*\| cannot open the data directory/s,
      );
      // The state holds what was tried, so that the next up waits again.
      expect(failure).toMatchObject({ id: name, properties: { digest: "2" } });
      expect(Date.now() - before).toBeLessThan(60_000);
    });

    test("fails after the deadline and says who is not ready", async () => {
      const { provider } = served(allReadyProvider);
      const name = healthy("sleep 600", "slow");
      const inputs = { workload: "w", members: [member(name)], deadlineSeconds: 2 };
      await expect(provider.create(inputs)).rejects.toThrow(
        /^w: 0 of 1 ready, timed out after 2 s\.\n.*slow: running, health starting/,
      );
    });
  });
});
