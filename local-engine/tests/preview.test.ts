import { removeStacks, Stack } from "./support/stack";

afterAll(removeStacks);

test("a preview changes nothing, and values that only the update will know are unknown", async () => {
  const stack = new Stack();
  const program = [
    { name: "a", value: "1" },
    { name: "b", value: { from: "a" } },
  ];
  stack.write(program, { outputs: { derived: { from: "b" }, plain: "x" } });
  const result = await stack.run("preview");
  expect(result.code).toBe(0);
  expect(result.out).toMatch(/\+ +pulumi-nodejs:dynamic\/tests:Thing b create/);
  expect(result.out).toMatch(/"derived": "\[unknown\]"/);
  expect(stack.journal()).toEqual([]);
  expect(() => stack.stateText()).toThrow("no such file");
});

test("a preview names what an update will do, with the same counts", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "updated", value: "1" },
    { name: "replaced", provider: "choosy", props: { kind: "1" } },
    { name: "deleted" },
    { name: "same" },
    { name: "follows", value: { from: "updated" } },
  ]);
  stack.journal();
  const next = [
    { name: "updated", value: "2" },
    { name: "replaced", provider: "choosy", props: { kind: "2" } },
    { name: "same" },
    { name: "follows", value: { from: "updated" } },
    { name: "created" },
  ];
  const planned = await stack.preview(next);
  expect(stack.journal()).toEqual([]);
  expect(planned).toMatchObject({ create: 1, update: 2, replace: 1, delete: 1, same: 2 });
  const { create, update, replace, delete: deleted, same } = planned;
  expect(await stack.up(next)).toMatchObject({ create, update, replace, delete: deleted, same });
});

test("refresh makes the state say what is there: a changed value is updated back, a missing thing created again", async () => {
  const stack = new Stack();
  const program = [
    { name: "a", value: "1" },
    { name: "b", value: "1", dependsOn: ["a"] },
    { name: "c", value: { from: "b" } },
  ];
  await stack.up(program);
  stack.found("a", "changed");
  stack.found("b", "gone");
  expect(await stack.counts("refresh")).toMatchObject({ update: 1, delete: 1 });
  expect(stack.resource("a")?.outputs).toMatchObject({ value: "changed" });
  expect(stack.resource("b")).toBeUndefined();
  expect(stack.resource("c")?.dependencies ?? []).toEqual([]);
  stack.found("b", "1");
  expect(await stack.counts("up")).toMatchObject({ create: 1, ok: true });
});

test("up --refresh does both in one run", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: "1" }]);
  stack.found("a", "gone");
  expect(await stack.counts("up", "succeeds", "--refresh")).toMatchObject({ create: 1 });
});

test("up --refresh changes nothing when a look fails, and says why", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: "1" }]);
  stack.journal();
  stack.found("a", "unreadable");
  stack.write([{ name: "a", value: "2" }, { name: "b" }]);
  const { diagnostics } = await stack.counts("up", "fails", "--refresh");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.map(({ message }) => message)).toEqual(["a cannot be read"]);
  expect(stack.journal()).toEqual([]);
  expect(stack.names()).toEqual(["a"]);
});

test("settings come from the project's defaults, the stack's file and their encrypted values", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: { config: "greeting" } }]);
  expect(stack.resource("a")?.inputs).toMatchObject({ value: "hello" });
});
