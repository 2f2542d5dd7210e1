import { execFileSync } from "node:child_process";
import { ended, removeStacks, Stack, until } from "./support/stack";

afterAll(removeStacks);

test("a failed create fails the run; what does not need it is finished, what does is not begun", async () => {
  const stack = new Stack();
  const program = (fail?: string) => [
    { name: "bad", value: "x", props: { fail } },
    { name: "needs-bad", value: { from: "bad" } },
    { name: "free" },
    { name: "needs-free", value: { from: "free" } },
  ];
  const failed = await stack.up(program("create"), "fails");
  expect(failed.diagnostics.map(({ message }) => message)).toEqual(["bad cannot be created: x"]);
  expect(stack.names()).toEqual(["free", "needs-free"]);
  expect(stack.state().pending_operations).toBeUndefined();
  expect(await stack.up(program())).toMatchObject({ create: 2, ok: true });
});

test("a failed run deletes nothing", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a" }, { name: "b" }]);
  await stack.up([{ name: "bad", props: { fail: "create" } }], "fails");
  expect(stack.names()).toEqual(["a", "b"]);
  stack.write([], { fails: "the program is broken" });
  const broken = await stack.run("up");
  expect(broken.code).toBe(1);
  expect(broken.text).toContain("the program is broken");
  expect(stack.names()).toEqual(["a", "b"]);
});

test("a failed run takes no output of the stack away, one that succeeds does", async () => {
  const stack = new Stack();
  const outputs = async (): Promise<unknown> =>
    (JSON.parse((await stack.run("stack", "output", "--json")).out) as { outputs: unknown }).outputs;
  stack.write([{ name: "a" }], { outputs: { kept: "1", gone: "2" } });
  await stack.counts("up");
  expect(await outputs()).toEqual({ kept: "1", gone: "2" });
  stack.write([{ name: "a" }], { outputs: { kept: "1" }, fails: "the program is broken" });
  await stack.run("up");
  expect(await outputs()).toEqual({ kept: "1", gone: "2" });
  stack.write([{ name: "bad", props: { fail: "create" } }], { outputs: { kept: { from: "bad" } } });
  await stack.counts("up", "fails");
  expect(await outputs()).toEqual({ kept: "1", gone: "2" });
  stack.write([{ name: "a" }], { outputs: { kept: "1" } });
  await stack.counts("up");
  expect(await outputs()).toEqual({ kept: "1" });
});

test("a create that fails half-way keeps what it made, and the next up goes on with it", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: "1", props: { fail: "half" } }], "fails");
  expect(stack.resource("a")).toMatchObject({ id: "a", initErrors: ["not ready"] });
  stack.journal();
  expect(await stack.up([{ name: "a", value: "1" }])).toMatchObject({ update: 1, create: 0 });
  expect(stack.journal()).toEqual(["update a", "updated 1->1 a"]);
  expect(stack.resource("a")?.initErrors).toBeUndefined();
});

test("when the replacement fails after the original was deleted, the next up creates it", async () => {
  const program = (kind: string, fail?: string) => [
    { name: "a", provider: "choosy", props: { kind, fail }, opts: { deleteBeforeReplace: true } },
  ];
  const stack = new Stack();
  await stack.up(program("1"));
  await stack.up(program("2", "create"), "fails");
  expect(stack.resource("a")).toMatchObject({ pendingReplacement: true });
  stack.journal();
  expect(await stack.up(program("2"))).toMatchObject({ replace: 1 });
  expect(stack.journal()).toEqual(["create a", "created a"]);
  expect(stack.resource("a")?.pendingReplacement).toBeUndefined();
});

test("killed in the middle of a create, the next up finishes the work and nothing stays behind", async () => {
  const stack = new Stack();
  stack.write([
    { name: "a" },
    { name: "b", props: { gate: "create" }, dependsOn: ["a"] },
    { name: "c", value: { from: "b" } },
  ]);
  const engine = stack.start("up");
  await stack.journalHas("create b");
  const children = execFileSync("ps", ["-o", "pid=", "--ppid", String(engine.pid)], { encoding: "utf8" })
    .trim()
    .split(/\s+/);
  expect(children).toHaveLength(2);
  const over = ended(engine);
  engine.kill("SIGKILL");
  await over;
  expect(stack.state().pending_operations).toMatchObject([
    { type: "creating", resource: { urn: expect.stringMatching(/::b$/) } },
  ]);
  expect(stack.names()).toEqual(["a"]);
  // The program and the provider end with the engine.
  const alive = (pid: string): boolean => {
    try {
      process.kill(Number(pid), 0);
      return true;
    } catch {
      return false;
    }
  };
  await until("the children have ended", () => !children.some(alive));
  stack.openGate("b");
  expect(await stack.counts("up")).toMatchObject({ create: 2, same: 2 });
  expect(stack.state().pending_operations).toBeUndefined();
  expect(stack.names()).toEqual(["a", "b", "c"]);
});

test("killed between the deletion of an original and the end of its replacement, the next up creates the replacement", async () => {
  const program = (kind: string, gate?: string) => [
    { name: "a", provider: "choosy", props: { kind, gate }, opts: { deleteBeforeReplace: true } },
  ];
  const stack = new Stack();
  await stack.up(program("1"));
  stack.journal();
  stack.write(program("2", "create"));
  const engine = stack.start("up");
  await stack.journalHas("create a");
  const over = ended(engine);
  engine.kill("SIGKILL");
  await over;
  stack.openGate("a");
  expect(await stack.counts("up")).toMatchObject({ replace: 1, create: 0, delete: 0 });
  expect(stack.names()).toEqual(["a"]);
});

test("an interrupt lets the running step end, begins no other, and the next up goes on from there", async () => {
  const stack = new Stack();
  stack.write([
    { name: "a", props: { gate: "create" } },
    { name: "b", value: { from: "a" } },
  ]);
  const engine = stack.start("up");
  await stack.journalHas("create a");
  engine.kill("SIGINT");
  const over = ended(engine);
  let said = "";
  engine.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await until("the interrupt is acknowledged", () => said.includes("stopping:"));
  stack.openGate("a");
  expect(await over).not.toBe(0);
  expect(stack.names()).toEqual(["a"]);
  expect(stack.state().pending_operations).toBeUndefined();
  expect(await stack.counts("up")).toMatchObject({ create: 1, same: 2 });
});

test("asked twice, a run ends at once, and the next up goes on from there", async () => {
  const stack = new Stack();
  stack.write([{ name: "a" }, { name: "b", props: { gate: "create" }, dependsOn: ["a"] }]);
  const engine = stack.start("up");
  await stack.journalHas("create b");
  const over = ended(engine);
  let said = "";
  engine.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  engine.kill("SIGINT");
  await until("the interrupt is acknowledged", () => said.includes("stopping:"));
  engine.kill("SIGINT");
  // The gate is closed: nothing else ends it.
  expect(await over).toBe(130);
  expect(stack.names()).toEqual(["a"]);
  stack.openGate("b");
  expect(await stack.counts("up")).toMatchObject({ create: 1, same: 2 });
  expect(stack.names()).toEqual(["a", "b"]);
});

test("when nobody reads any more, the running step ends, and no other begins", async () => {
  const stack = new Stack();
  stack.write([
    { name: "a", props: { gate: "create" } },
    { name: "b", value: { from: "a" } },
  ]);
  const engine = stack.start("up");
  await stack.journalHas("create a");
  const over = ended(engine);
  // As a terminal that is closed: nothing can be written any more. The next line is that of the heartbeat, after ten seconds.
  engine.stdout?.destroy();
  engine.stderr?.destroy();
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  stack.openGate("a");
  expect(await over).not.toBe(0);
  expect(stack.names()).toEqual(["a"]);
  expect(stack.state().pending_operations).toBeUndefined();
  expect(await stack.counts("up")).toMatchObject({ create: 1, same: 2 });
});

test("of two runs at once the second is refused; the lock of a dead run is not in the way", async () => {
  const stack = new Stack();
  stack.write([{ name: "a", props: { gate: "create" } }]);
  const first = stack.start("up");
  await stack.journalHas("create a");
  const second = await stack.run("up");
  expect(second.code).toBe(1);
  expect(second.err).toContain(
    `another run is changing this stack: \`up --stack dev\`, process ${first.pid}`,
  );
  expect((await stack.run("preview")).code).toBe(0);
  const over = ended(first);
  first.kill("SIGKILL");
  await over;
  stack.openGate("a");
  expect((await stack.run("up")).code).toBe(0);
});

test("types that it has no provider for, and stacks that are not for Docker, are refused with what to install", async () => {
  const stack = new Stack();
  const unknown = await stack.up([{ name: "a", is: "unknown" }], "fails");
  expect(unknown.diagnostics[0]?.message).toMatch(/no provider for nobody:index:Thing; the Pulumi CLI has/);
  const kubernetes = await stack.up([{ name: "pod", is: "kubernetes" }], "fails");
  expect(kubernetes.diagnostics[0]?.message).toMatch(/needs the Pulumi CLI.*https:\/\/www\.pulumi\.com/);
});
