import { removeStacks, Stack } from "./support/stack";

afterAll(removeStacks);

const member = (kind: string, opts: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  name: "member",
  provider: "choosy",
  props: { kind, ...more },
  opts,
});

test("a replacement is created before the original is deleted, and dependents move over in between", async () => {
  const stack = new Stack();
  await stack.up([
    { ...member("1"), value: "x" },
    { name: "user", value: { from: "member" } },
  ]);
  const first = stack.resource("member");
  stack.journal();
  expect(
    await stack.up([
      { ...member("2"), value: "y" },
      { name: "user", value: { from: "member" } },
    ]),
  ).toMatchObject({ replace: 1, update: 1, delete: 0 });
  expect(stack.journal()).toEqual([
    "create member",
    "created member",
    "update user",
    "updated x-derived->y-derived user",
    "delete member",
    "deleted member",
  ]);
  expect(stack.names()).toEqual(["member", "user"]);
  expect(stack.resource("member")?.created).not.toBe(first?.created);
});

test("with deleteBeforeReplace the original goes first, after the dependents that would be replaced with it", async () => {
  const program = (kind: string) => [
    { ...member(kind, { deleteBeforeReplace: true }), value: kind },
    { name: "by-option", value: "fixed", dependsOn: ["member"] },
    { name: "updates", value: { from: "member" } },
    { name: "is-replaced", provider: "choosy", value: "x", props: { kind: { from: "member" } } },
  ];
  const stack = new Stack();
  await stack.up(program("1"));
  stack.journal();
  expect(await stack.up(program("2"))).toMatchObject({ replace: 2, update: 1, same: 2 });
  const journal = stack.journal();
  expect(journal.slice(0, 6)).toEqual([
    "delete is-replaced",
    "deleted is-replaced",
    "delete member",
    "deleted member",
    "create member",
    "created member",
  ]);
  expect(journal).not.toContain("delete by-option");
  expect(journal).not.toContain("delete updates");
  expect(journal).toContain("created is-replaced");
});

test("the provider may ask for the deletion first, and the program has the last word", async () => {
  const stack = new Stack();
  await stack.up([member("1", {}, { kindFirst: true })]);
  await stack.up([member("2", {}, { kindFirst: true })]);
  expect(stack.journal().slice(2)).toEqual([
    "delete member",
    "deleted member",
    "create member",
    "created member",
  ]);
  await stack.up([member("3", { deleteBeforeReplace: false }, { kindFirst: true })]);
  expect(stack.journal()).toEqual(["create member", "created member", "delete member", "deleted member"]);
});

test("replaceOnChanges replaces where the provider would have updated", async () => {
  const program = (value: string) => [{ name: "a", value, opts: { replaceOnChanges: ["value"] } }];
  const stack = new Stack();
  await stack.up(program("1"));
  expect(await stack.up(program("2"))).toMatchObject({ replace: 1, update: 0 });
});

test("ignoreChanges keeps what was there, at the path that it names", async () => {
  const program = (inner: string, other: string) => [
    { name: "a", value: { inner, other }, opts: { ignoreChanges: ["value.inner"] } },
  ];
  const stack = new Stack();
  await stack.up(program("1", "x"));
  expect(await stack.up(program("2", "x"))).toMatchObject({ same: 2, update: 0 });
  expect(await stack.up(program("3", "y"))).toMatchObject({ update: 1 });
  expect(stack.resource("a")?.inputs).toMatchObject({ value: { inner: "1", other: "y" } });
});

test("a protected resource is neither deleted nor replaced, and nothing else is deleted with it", async () => {
  const stack = new Stack();
  await stack.up([member("1", { protect: true }), { name: "free" }]);
  stack.journal();
  const replaced = await stack.up([member("2", { protect: true }), { name: "free" }], "fails");
  expect(replaced.diagnostics[0]?.message).toMatch(
    /unable to replace resource "urn:[^"]*::member"\nas it is currently marked for protection/,
  );
  const deleted = await stack.up([], "fails");
  expect(deleted.diagnostics[0]?.message).toMatch(/cannot be deleted\nbecause it is protected/);
  await stack.counts("destroy", "fails");
  expect(stack.journal()).toEqual([]);
  expect(stack.names()).toEqual(["free", "member"]);
  await stack.up([member("1", { protect: false })]);
  expect(await stack.counts("destroy")).toMatchObject({ ok: true });
});

test("retainOnDelete takes a resource out of the state and leaves the real one alone", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", opts: { retainOnDelete: true } }]);
  stack.journal();
  expect(await stack.up([])).toMatchObject({ delete: 1 });
  expect(stack.journal()).toEqual([]);
  expect(stack.names()).toEqual([]);
});

test("deletedWith leaves the deletion to the other resource, if that goes too", async () => {
  const program = [
    { name: "host" },
    { name: "guest", deletedWith: "host" },
    { name: "other", deletedWith: "host" },
  ];
  const stack = new Stack();
  await stack.up(program);
  stack.journal();
  await stack.up(program.slice(0, 2));
  expect(stack.journal()).toEqual(["delete other", "deleted other"]);
  await stack.up([]);
  expect(stack.journal()).toEqual(["delete host", "deleted host"]);
});

test("an alias finds a resource under its old name, type or parent; children of a renamed parent are found too", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "old-name" },
    { name: "retyped", type: "Before" },
    { name: "moved" },
    { name: "team", is: "group" },
    { name: "team-child", parent: "team" },
  ]);
  stack.journal();
  const counts = await stack.up([
    { name: "new-name", opts: { aliases: [{ name: "old-name" }] }, props: { label: "old-name" } },
    { name: "retyped", type: "After", opts: { aliases: [{ type: "pulumi-nodejs:dynamic/tests:Before" }] } },
    { name: "crew", is: "group", opts: { aliases: [{ name: "team" }] } },
    { name: "crew-child", parent: "crew", props: { label: "team-child" } },
    {
      name: "moved",
      parent: "crew",
      opts: { aliases: [{ parent: "urn:pulumi:dev::things::pulumi:pulumi:Stack::things-dev" }] },
    },
  ]);
  expect(counts).toMatchObject({ create: 0, delete: 0, replace: 0, update: 0 });
  expect(stack.journal()).toEqual([]);
  expect(stack.names()).toEqual(["crew", "crew-child", "moved", "new-name", "retyped"]);
});

test("another version of a provider's code takes over what the earlier one made", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "a", value: "1" },
    { name: "b", value: "1" },
  ]);
  stack.journal();
  expect(await stack.up([{ name: "a", value: "1", provider: "revised" }])).toMatchObject({
    update: 1,
    delete: 1,
  });
  // The update is the new code's; the deletion is done by the code that the state remembers.
  expect(stack.journal()).toEqual(["revised-update a", "delete b", "deleted b"]);
  await stack.up([]);
  expect(stack.journal()).toEqual(["revised-delete a"]);
});

test("hooks of the program run around the steps of a resource, deletion included", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", is: "hook", value: "1" }]);
  expect(stack.journal()).toEqual(["hook a 1", "create a", "created a"]);
  await stack.up([{ name: "a", is: "hook", value: "2" }]);
  expect(stack.journal()).toEqual(["update a", "updated 1->2 a", "hook a 2"]);
});
