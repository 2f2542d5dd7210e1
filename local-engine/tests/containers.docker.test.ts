import { docker, PROGRAM, Things } from "../../plugins/tests/things";
import { ended, removeStacks, Stack, until } from "./support/stack";

class Containers extends Stack {
  readonly things = new Things(this.folder, this.env);
  readonly prefix = this.things.prefix;
  readonly main = this.things.main;

  constructor() {
    super(PROGRAM);
    made.push(this);
  }

  wish(more?: Record<string, unknown>): void {
    this.things.wish(more);
  }

  id(): string {
    return this.things.id();
  }
}

const made: Containers[] = [];
afterAll(() => {
  for (const each of made) each.things.sweep();
  removeStacks();
});

test("a container comes up healthy with its image, network, volume and files; again nothing changes; destroy leaves the image", async () => {
  const stack = new Containers();
  const secret = "a-secret-of-the-upload";
  stack.wish({ secret, once: true });
  const up = await stack.counts("up");
  expect(up).toMatchObject({
    create: 6,
    outputs: { exitCode: 3, logs: "done\n", address: expect.stringMatching(/^10\.213\./) },
  });
  expect(
    docker(
      "exec",
      stack.main,
      "sh",
      "-c",
      "cat /context/seen /etc/plain /etc/secret; stat -c %a /etc/secret; ls /context",
    ),
  ).toBe(`for the image\nplain\n${secret}400\nDockerfile\nseen`);
  expect(docker("inspect", stack.main) + stack.stateText()).not.toContain(secret);
  const id = stack.id();
  expect(await stack.counts("up")).toMatchObject({ same: 6, create: 0, update: 0, replace: 0 });
  expect(await stack.counts("refresh")).toMatchObject({ same: 6, update: 0, delete: 0 });
  expect(stack.id()).toBe(id);
  expect(await stack.counts("destroy")).toMatchObject({ delete: 6, ok: true });
  expect([
    ...stack.things.list("container"),
    ...stack.things.list("network"),
    ...stack.things.list("volume"),
  ]).toEqual([]);
  expect(docker("image", "ls", "-q", `${stack.prefix}-image`)).not.toBe("");
});

test("limits change on the running container; anything else replaces it, the old one first, and the volume keeps its data", async () => {
  const stack = new Containers();
  stack.wish();
  await stack.counts("up");
  const id = stack.id();
  docker("exec", stack.main, "sh", "-c", "echo kept > /data/file");
  stack.wish({ container: { memory: 96, memorySwap: 96, restart: "no" } });
  expect(await stack.counts("up")).toMatchObject({ update: 1, replace: 0 });
  expect(stack.id()).toBe(id);
  expect(
    docker("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}", stack.main),
  ).toBe(`${96 * 1024 * 1024} no`);
  stack.wish({ container: { memory: 96, memorySwap: 96, restart: "no", envs: ["A=1"] } });
  expect(await stack.counts("up")).toMatchObject({ replace: 1, update: 0 });
  expect(stack.id()).not.toBe(id);
  expect(docker("exec", stack.main, "cat", "/data/file")).toBe("kept");
  // Another image content replaces the image and with it the container.
  stack.wish({ marker: "2", container: { memory: 96, memorySwap: 96, restart: "no", envs: ["A=1"] } });
  expect(await stack.counts("up")).toMatchObject({ replace: 2 });
  expect(docker("exec", stack.main, "cat", "/marker")).toBe("2");
});

test("a container that does not become healthy fails with what it said, stays, and is replaced next time", async () => {
  const stack = new Containers();
  stack.wish({
    container: { command: ["sh", "-c", "echo cannot find my data; exec sleep infinity"], waitTimeout: 2 },
  });
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics[0]?.message).toMatch(
    /failed to be in healthy state: it is \w+ after 2 s(.|\n)*cannot find my data/,
  );
  const broken = stack.id();
  expect(stack.resource("main")).toMatchObject({
    id: broken,
    initErrors: [expect.stringContaining("healthy")],
  });
  stack.wish();
  expect(await stack.counts("up")).toMatchObject({ replace: 1 });
  expect(stack.id()).not.toBe(broken);
});

test("a container that ends at once is not waited for until the time is up", async () => {
  const stack = new Containers();
  stack.wish({
    container: { command: ["sh", "-c", "echo no such setting; exit 7"], restart: "no", waitTimeout: 120 },
  });
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics[0]?.message).toMatch(/it exited with code 7(.|\n)*no such setting/);
});

test("a failed build says what the failing step said, and the next up builds again", async () => {
  const stack = new Containers();
  stack.wish({ marker: "broken" });
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics[0]?.message).toMatch(/the build of \S+ failed: (.|\n)*test "\$MARKER" != broken/);
  stack.wish();
  expect(await stack.counts("up")).toMatchObject({ ok: true });
});

test("refresh notices a removed container and a stopped one; up creates the one and starts the other, with the data", async () => {
  const stack = new Containers();
  stack.wish();
  await stack.counts("up");
  docker("exec", stack.main, "sh", "-c", "echo kept > /data/file");
  docker("rm", "-f", stack.main);
  expect(await stack.counts("up", "succeeds", "--refresh")).toMatchObject({ create: 1 });
  expect(docker("exec", stack.main, "cat", "/data/file")).toBe("kept");
  const id = stack.id();
  docker("stop", "-t", "0", stack.main);
  expect(await stack.counts("up", "succeeds", "--refresh")).toMatchObject({ update: 1, replace: 0 });
  expect(docker("inspect", "--format", "{{.Id}} {{.State.Health.Status}}", stack.main)).toBe(`${id} healthy`);
});

test("killed while it creates a container, the next up leaves one healthy container and nothing else", async () => {
  const stack = new Containers();
  stack.wish({ container: { command: ["sh", "-c", "sleep 5; touch /tmp/ready; exec sleep infinity"] } });
  const engine = stack.start("up");
  await until("the container runs", () => stack.things.list("container").length > 0, 120);
  const over = ended(engine);
  engine.kill("SIGKILL");
  await over;
  const orphan = stack.id();
  expect(stack.state().pending_operations).toMatchObject([{ type: "creating" }]);
  stack.wish();
  const result = await stack.counts("up");
  expect(result).toMatchObject({ create: 1, same: 4 });
  expect(result.diagnostics[0]?.message).toContain(`the container ${stack.main} was removed`);
  expect(stack.id()).not.toBe(orphan);
  expect(stack.things.list("container")).toEqual([stack.main]);
  expect(stack.things.list("network")).toEqual([`${stack.prefix}-network`]);
});

test("a container of somebody else that has the name is an error, and is left alone", async () => {
  const stack = new Containers();
  stack.wish();
  docker("run", "-d", "--name", stack.main, "debian:trixie-slim", "sleep", "infinity");
  const foreign = stack.id();
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics[0]?.message).toMatch(/The container name .* is already in use/);
  await stack.counts("up", "fails");
  expect(stack.id()).toBe(foreign);
});

test("a network that is there is taken into the state as it is; one that is not what the program describes is refused", async () => {
  const stack = new Containers();
  const name = `${stack.prefix}-network`;
  const make = (whose: string): string => docker("network", "create", "--label", `whose=${whose}`, name);
  stack.wish({ importNetwork: make("somebody's") });
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics.map(({ message }) => message).join()).toMatch(
    /cannot be imported, since it is not what the program describes: labels/,
  );
  docker("network", "rm", name);
  const id = make("mine");
  stack.wish({ importNetwork: id });
  await stack.counts("up");
  expect(docker("network", "inspect", "--format", "{{.Id}}", name)).toBe(id);
  expect(await stack.counts("up")).toMatchObject({ create: 0, update: 0, replace: 0, import: 0 });
  await stack.counts("destroy");
  expect(stack.things.list("network")).toEqual([]);
});

test("an engine that does not answer is named, with what to do", async () => {
  const stack = new Containers();
  stack.wish();
  stack.env.DOCKER_HOST = "unix:///nowhere/docker.sock";
  const failed = await stack.counts("up", "fails");
  expect(failed.diagnostics[0]?.message).toMatch(
    /does not answer at unix:\/\/\/nowhere\/docker.sock \(DOCKER_HOST\): start it/,
  );
});
