import { ended, removeStacks, Stack } from "./support/stack";

afterAll(removeStacks);

const before = (journal: readonly string[], first: string, second: string): void => {
  expect(journal).toEqual(expect.arrayContaining([first, second]));
  expect(journal.indexOf(first)).toBeLessThan(journal.indexOf(second));
};

test("a resource is created after everything that it depends on, whether by an option, a property or a parent", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "a" },
    { name: "by-option", dependsOn: ["a"] },
    { name: "by-property", value: { from: "by-option" } },
    { name: "by-parent", parent: "by-property" },
  ]);
  const journal = stack.journal();
  before(journal, "created a", "create by-option");
  before(journal, "created by-option", "create by-property");
  before(journal, "created by-property", "create by-parent");
});

test("what does not depend on each other is created at the same time, as many at once as --parallel says", async () => {
  const stack = new Stack();
  const gated = ["a", "b", "c"].map((name) => ({ name, props: { gate: "create" } }));
  stack.write(gated);
  const all = stack.start("up");
  await Promise.all(["a", "b", "c"].map((name) => stack.journalHas(`create ${name}`)));
  for (const { name } of gated) stack.openGate(name);
  expect(await ended(all)).toBe(0);

  const single = new Stack();
  for (const { name } of gated) single.openGate(name);
  single.write(gated);
  expect((await single.run("up", "--parallel", "1")).code).toBe(0);
  const steps = single.journal();
  for (let i = 0; i < steps.length; i += 2) expect(steps[i + 1]).toBe(steps[i]?.replace("create", "created"));
});

test("destroy deletes in the reverse order and leaves an empty state", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "a" },
    { name: "b", value: { from: "a" } },
    { name: "c", parent: "b" },
    { name: "d", dependsOn: ["c"] },
  ]);
  stack.journal();
  expect(await stack.counts("destroy")).toMatchObject({ delete: 5, ok: true });
  const journal = stack.journal();
  for (const [first, second] of [
    ["d", "c"],
    ["c", "b"],
    ["b", "a"],
  ] as const)
    before(journal, `deleted ${first}`, `delete ${second}`);
  expect(stack.state().resources).toEqual([]);
});

test("what the program no longer names is deleted at the end, in the reverse order", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a" }, { name: "b", value: { from: "a" } }, { name: "stays", value: "1" }]);
  stack.journal();
  expect(await stack.up([{ name: "stays", value: "2" }, { name: "new" }])).toMatchObject({
    create: 1,
    update: 1,
    delete: 2,
  });
  const journal = stack.journal();
  before(journal, "created new", "delete b");
  before(journal, "updated 1->2 stays", "delete b");
  before(journal, "deleted b", "delete a");
});

test("a chain by dependsOn alone is updated link by link: one replacement is over before the next begins", async () => {
  const chain = (digest: string) =>
    [0, 1, 2].flatMap((i) => [
      { name: `turn-${i}`, value: digest, dependsOn: i === 0 ? [] : [`healthy-${i - 1}`] },
      {
        name: `member-${i}`,
        provider: "choosy",
        dependsOn: [`turn-${i}`],
        props: { kind: digest },
        opts: { deleteBeforeReplace: true },
      },
      { name: `healthy-${i}`, value: digest, dependsOn: [`member-${i}`] },
    ]);
  const stack = new Stack();
  await stack.up(chain("old"));
  stack.journal();
  expect(await stack.up(chain("new"))).toMatchObject({ update: 6, replace: 3, create: 0, delete: 0 });
  expect(stack.journal()).toEqual(
    [0, 1, 2].flatMap((i) => [
      `update turn-${i}`,
      `updated old->new turn-${i}`,
      `delete member-${i}`,
      `deleted member-${i}`,
      `create member-${i}`,
      `created member-${i}`,
      `update healthy-${i}`,
      `updated old->new healthy-${i}`,
    ]),
  );
});

test("a link that fails stops the roll there", async () => {
  const chain = (digest: string, fail?: string) =>
    [0, 1].flatMap((i) => [
      {
        name: `member-${i}`,
        provider: "choosy",
        dependsOn: i === 0 ? [] : [`healthy-${i - 1}`],
        props: { kind: digest },
        opts: { deleteBeforeReplace: true },
      },
      { name: `healthy-${i}`, value: digest, dependsOn: [`member-${i}`], props: { fail } },
    ]);
  const stack = new Stack();
  await stack.up(chain("old"));
  stack.journal();
  await stack.up(chain("new", "update"), "fails");
  expect(stack.journal()).not.toContain("delete member-1");
  expect(await stack.up(chain("new"))).toMatchObject({ ok: true });
  expect(stack.journal()).toContain("created member-1");
});

test("an up without changes starts no step and leaves the state as it is", async () => {
  const program = [
    { name: "a", value: { secret: "one-secret" } },
    { name: "group", is: "group", value: { secret: "another-secret" } },
    { name: "b", parent: "group", value: { from: "a" } },
  ];
  const outputs = { hidden: { secret: "secret-output" }, derived: { from: "b" } };
  const stack = new Stack();
  stack.write(program, { outputs });
  await stack.counts("up");
  stack.journal();
  const state = stack.stateText();
  expect(await stack.counts("up")).toMatchObject({ create: 0, update: 0, replace: 0, delete: 0, same: 4 });
  expect(stack.journal()).toEqual([]);
  expect(stack.stateText()).toBe(state);
  expect((await stack.run("up", "--expect-no-changes")).code).toBe(0);
});

test("a value that becomes secret is encrypted, though it is the same", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: "in-clear-so-far" }]);
  expect(await stack.up([{ name: "a", value: { secret: "in-clear-so-far" } }])).toMatchObject({ same: 2 });
  expect(JSON.stringify(stack.resource("a")?.inputs)).not.toContain("in-clear-so-far");
});

test("--expect-no-changes fails when there are some", async () => {
  const stack = new Stack();
  stack.write([{ name: "a" }]);
  const result = await stack.run("preview", "--expect-no-changes");
  expect(result.code).toBe(1);
  expect(result.err).toContain("no changes were expected");
});
