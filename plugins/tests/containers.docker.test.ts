import { rmSync } from "node:fs";
import { join } from "node:path";
import { pulumiProgram } from "../../commands/pulumi-program";
import { eventually } from "../../tests/support/stack";
import { CliStack } from "./stack";
import { docker, PROGRAM, Things } from "./things";

const describeWithCli = pulumiProgram() === undefined ? describe.skip : describe;
if (describeWithCli === describe.skip)
  console.log("skipped: the plugins through the Pulumi CLI need it: tools/pulumi/pulumi.sh install");

describeWithCli("the Docker plugin, through the Pulumi CLI (C1)", () => {
  const made: { cli: CliStack; things: Things }[] = [];
  const begin = async (): Promise<{ cli: CliStack; things: Things }> => {
    const cli = await CliStack.of(PROGRAM);
    const stack = { cli, things: new Things(cli.folder, cli.env) };
    made.push(stack);
    return stack;
  };
  afterAll(() => {
    for (const { cli, things } of made) {
      things.sweep();
      rmSync(cli.folder, { recursive: true });
    }
  });

  test("makes a healthy container with its image, network, volume and files; again nothing changes; destroy leaves the image", async () => {
    const { cli, things } = await begin();
    const secret = "a-secret-of-the-upload";
    things.wish({ secret, once: true });
    expect(await cli.outcome("up")).toMatchObject({ changes: { create: 6 } });
    expect(await cli.outputs()).toMatchObject({ exitCode: 3, logs: "done\n" });
    const files = "cat /context/seen /etc/plain /etc/secret; stat -c %a /etc/secret; ls /context";
    expect(docker("exec", things.main, "sh", "-c", files)).toBe(
      `for the image\nplain\n${secret}400\nDockerfile\nseen`,
    );
    expect(docker("inspect", things.main) + cli.stateText()).not.toContain(secret);
    const id = things.id();
    expect((await cli.outcome("up")).changes).toEqual({ same: 6 });
    expect((await cli.outcome("refresh")).changes).toEqual({ same: 6 });
    expect(things.id()).toBe(id);
    expect((await cli.outcome("destroy")).changes).toEqual({ delete: 6 });
    expect([...things.list("container"), ...things.list("network"), ...things.list("volume")]).toEqual([]);
    expect(docker("image", "ls", "-q", `${things.prefix}-image`)).not.toBe("");
  });

  test("changes limits on the running container; anything else replaces it, and the volume keeps its data", async () => {
    const { cli, things } = await begin();
    things.wish();
    await cli.outcome("up");
    const id = things.id();
    docker("exec", things.main, "sh", "-c", "echo kept > /data/file");
    const limits = { memory: 96, memorySwap: 96, restart: "no" };
    things.wish({ container: limits });
    expect((await cli.outcome("up")).changes).toEqual({ same: 4, update: 1 });
    expect(things.id()).toBe(id);
    const limited = "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}";
    expect(docker("inspect", "--format", limited, things.main)).toBe(`${96 * 1024 * 1024} no`);
    things.wish({ container: { ...limits, envs: ["A=1"] } });
    expect((await cli.outcome("up")).changes).toEqual({ same: 4, replace: 1 });
    expect(things.id()).not.toBe(id);
    expect(docker("exec", things.main, "cat", "/data/file")).toBe("kept");
  });

  test("leaves a container that does not become healthy in the state as made and failed; the next up replaces it, unless it is well by then", async () => {
    const { cli, things } = await begin();
    const command = ["sh", "-c", "echo cannot find my data; exec sleep infinity"];
    things.wish({ container: { command, waitTimeout: 2 } });
    const { said } = await cli.outcome("up", "fails");
    expect(said).toMatch(/failed to be in healthy state: it is \w+ after 2 s(.|\n)*cannot find my data/);
    const broken = things.id();
    expect(cli.resource("main")).toMatchObject({
      id: broken,
      initErrors: [expect.stringContaining("healthy")],
    });
    await cli.outcome("up", "fails", "--refresh");
    const second = things.id();
    expect(second).not.toBe(broken);
    docker("exec", things.main, "touch", "/tmp/ready");
    await eventually("it is healthy", 60_000, async () => {
      const health = docker("inspect", "--format", "{{.State.Health.Status}}", things.main);
      if (health !== "healthy") throw new Error(health);
    });
    await cli.outcome("up", "succeeds", "--refresh");
    expect(things.id()).toBe(second);
    expect(cli.resource("main")?.initErrors ?? []).toEqual([]);
  });

  test("does not wait until the time is up for a container that ends at once", async () => {
    const { cli, things } = await begin();
    const command = ["sh", "-c", "echo no such setting; exit 7"];
    things.wish({ container: { command, restart: "no", waitTimeout: 120 } });
    const { said } = await cli.outcome("up", "fails");
    expect(said).toMatch(/it exited with code 7(.|\n)*no such setting/);
  });

  test("a failed build says what the failing step said, and the next up builds again", async () => {
    const { cli, things } = await begin();
    things.wish({ marker: "broken" });
    const { said } = await cli.outcome("up", "fails");
    expect(said).toMatch(/the build of \S+ failed: (.|\n)*test "\$MARKER" != broken/);
    things.wish();
    expect((await cli.outcome("up")).changes).toMatchObject({ create: 2 });
  });

  test("a refresh notices a container that was removed and one that was stopped; up mends both, with the data", async () => {
    const { cli, things } = await begin();
    things.wish();
    await cli.outcome("up");
    docker("exec", things.main, "sh", "-c", "echo kept > /data/file");
    docker("rm", "-f", things.main);
    expect((await cli.outcome("up", "succeeds", "--refresh")).changes).toMatchObject({ create: 1 });
    expect(docker("exec", things.main, "cat", "/data/file")).toBe("kept");
    const id = things.id();
    docker("stop", "-t", "0", things.main);
    expect((await cli.outcome("up", "succeeds", "--refresh")).changes).toMatchObject({ update: 1 });
    expect(docker("inspect", "--format", "{{.Id}} {{.State.Health.Status}}", things.main)).toBe(
      `${id} healthy`,
    );
  });

  test("what a killed run made and did not record is found by its labels: the next up leaves one of each", async () => {
    const { cli, things } = await begin();
    const labels = [{ label: "whose", value: things.prefix }];
    const slow = ["sh", "-c", "sleep 5; touch /tmp/ready; exec sleep infinity"];
    things.wish({ labels, container: { command: slow } });
    const run = cli.start("up");
    await eventually("the container runs", 120_000, async () => {
      if (things.list("container").length === 0) throw new Error("not yet");
    });
    const over = new Promise((resolve) => run.once("close", resolve));
    process.kill(-run.pid!, "SIGKILL");
    await over;
    const orphan = things.id();
    things.wish({ labels });
    // The commands do this where they see that the lock's process is gone.
    await cli.cancel();
    await cli.outcome("up");
    expect(things.id()).not.toBe(orphan);
    expect([things.list("container"), things.list("network")]).toEqual([
      [things.main],
      [`${things.prefix}-network`],
    ]);
  });

  test("a container of somebody else that has the name is an error, and is left alone", async () => {
    const { cli, things } = await begin();
    things.wish({ labels: [{ label: "whose", value: things.prefix }] });
    docker("run", "-d", "--name", things.main, "debian:trixie-slim", "sleep", "infinity");
    const foreign = things.id();
    expect((await cli.outcome("up", "fails")).said).toMatch(/The container name .* is already in use/);
    await cli.outcome("up", "fails");
    expect(things.id()).toBe(foreign);
  });

  test("a network that is there is imported as it is; one that is not what the program describes is refused", async () => {
    const made = async (whose: string) => {
      const { cli, things } = await begin();
      const id = docker("network", "create", "--label", `whose=${whose}`, `${things.prefix}-network`);
      things.wish({ importNetwork: id });
      return { cli, things, id };
    };
    const others = await made("somebody's");
    expect((await others.cli.outcome("up", "fails")).said).toMatch(/may not be replaced(.|\n)*somebody's/);
    const { cli, things, id } = await made("mine");
    expect((await cli.outcome("up")).changes).toMatchObject({ import: 1 });
    expect(docker("network", "inspect", "--format", "{{.Id}}", `${things.prefix}-network`)).toBe(id);
    expect((await cli.outcome("up")).changes).toEqual({ same: 5 });
  });

  test("the language host runs policy packs: what one forbids is not made, and what it has to say is said", async () => {
    const { cli, things } = await begin();
    const pack = ["--policy-pack", join(__dirname, "policy")];
    things.wish({ container: { memory: 0, memorySwap: 0 } });
    expect((await cli.outcome("up", "fails", ...pack)).policies).toEqual(["main has no limit of memory"]);
    expect(things.list("container")).toEqual([]);
    things.wish();
    expect((await cli.outcome("up", "succeeds", ...pack)).policies).toEqual(["1 container"]);
    expect(things.list("container")).toEqual([things.main]);
  });

  test("the language host names the plugins of the program that are here", async () => {
    const { cli } = await begin();
    const { plugins } = JSON.parse(await cli.said("about", "--json")) as { plugins: { name: string }[] };
    expect(plugins.map(({ name }) => name)).toEqual(expect.arrayContaining(["docker", "random"]));
  });

  test("an engine that does not answer is named, with what to do", async () => {
    const { cli, things } = await begin();
    things.wish();
    cli.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
    expect((await cli.outcome("up", "fails")).said).toMatch(
      /does not answer at unix:\/\/\/nowhere\/docker.sock \(DOCKER_HOST\): start it/,
    );
  });
});
