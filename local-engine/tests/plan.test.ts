import { aliasUrns, applyIgnoreChanges, decide, deleteOrder, dependents, inputsWithout } from "../plan";
import { UNKNOWN } from "../properties";
import type { ResourceState } from "../state";

const urn = (name: string): string => `urn:pulumi:dev::p::t:index:T::${name}`;
const state = (name: string, more: Partial<ResourceState> = {}): ResourceState => ({
  urn: urn(name),
  custom: true,
  type: "t:index:T",
  ...more,
});
const wish = { protect: false, deleteBeforeReplace: undefined, ignoreChanges: [], replaceOnChanges: [] };
const names = (states: readonly ResourceState[]): string[] =>
  states.map((each) => each.urn.slice(urn("").length));

test("no change is nothing, a change is an update, a change of a replacing key a replacement", () => {
  const old = state("a");
  expect(decide(old, wish, { changes: false, replaceKeys: [] })).toEqual({ op: "same" });
  expect(decide(old, wish, { changes: true, replaceKeys: [] })).toEqual({ op: "update" });
  expect(decide(old, wish, { changes: true, replaceKeys: ["k"] })).toEqual({
    op: "replace",
    keys: ["k"],
    deleteFirst: false,
  });
});

test("the program's word on deleting first stands above the provider's", () => {
  const diff = { changes: true, replaceKeys: ["k"], deleteBeforeReplace: true };
  expect(decide(state("a"), wish, diff)).toMatchObject({ deleteFirst: true });
  expect(decide(state("a"), { ...wish, deleteBeforeReplace: false }, diff)).toMatchObject({
    deleteFirst: false,
  });
});

test("replaceOnChanges names keys, paths into them, or everything", () => {
  const diff = { changes: true, changedKeys: ["health"], replaceKeys: [] };
  for (const path of ["health", "health.interval", "*"]) {
    expect(decide(state("a"), { ...wish, replaceOnChanges: [path] }, diff)).toMatchObject({ op: "replace" });
  }
  expect(decide(state("a"), { ...wish, replaceOnChanges: ["other"] }, diff)).toEqual({ op: "update" });
});

test("what never became ready is updated again, what is tainted is replaced", () => {
  const unchanged = { changes: false, replaceKeys: [] };
  expect(decide(state("a", { initErrors: ["not ready"] }), wish, unchanged)).toEqual({ op: "update" });
  expect(decide(state("a", { taint: true }), wish, unchanged)).toMatchObject({ op: "replace" });
  expect(decide(state("a", { pendingReplacement: true }), wish, unchanged)).toMatchObject({ op: "replace" });
});

test("dependents are found through every kind of edge but that of a child", () => {
  const root = state("root");
  const list = [
    state("before"),
    root,
    state("child", { parent: urn("root") }),
    state("by-option", { dependencies: [urn("root")] }),
    state("by-property", { propertyDependencies: { k: [urn("by-option")] } }),
    state("with", { deletedWith: urn("root") }),
  ];
  expect(names(dependents(root, list))).toEqual(["by-option", "by-property", "with"]);
});

test("only inputs that come from what goes become unknown; a mere dependsOn changes none", () => {
  const gone = new Set([urn("root")]);
  const both = state("a", { inputs: { x: 1, y: 2 }, propertyDependencies: { x: [urn("root")], y: [] } });
  expect(inputsWithout(both, gone)).toEqual({ x: UNKNOWN, y: 2 });
  expect(
    inputsWithout(state("b", { dependencies: [urn("root")], propertyDependencies: { x: [] } }), gone),
  ).toBeUndefined();
});

test("a resource is deleted after its children and everything that depends on it", () => {
  const [a, b, c] = [state("a"), state("b", { dependencies: [urn("a")] }), state("c", { parent: urn("b") })];
  const order = deleteOrder([a, b, c]);
  expect(names(order.get(a) ?? [])).toEqual(["b"]);
  expect(names(order.get(b) ?? [])).toEqual(["c"]);
  expect(order.get(c)).toEqual([]);
});

test.each([
  ["a", { a: 1 }, { a: 2 }, { a: 1 }],
  ["a.b", { a: { b: 1, c: 1 } }, { a: { b: 2, c: 2 } }, { a: { b: 1, c: 2 } }],
  ["list[1]", { list: [1, 2] }, { list: [8, 9] }, { list: [8, 2] }],
  [
    "list[*].x",
    { list: [{ x: 1 }, { x: 2 }] },
    { list: [{ x: 8 }, { x: 9 }] },
    { list: [{ x: 1 }, { x: 2 }] },
  ],
  ['a["b.c"]', { a: { "b.c": 1 } }, { a: { "b.c": 2 } }, { a: { "b.c": 1 } }],
  ["removed", { removed: 1 }, {}, { removed: 1 }],
  ["added", {}, { added: 1 }, {}],
])("ignoreChanges %s", (path, olds, news, expected) => {
  expect(applyIgnoreChanges(olds as never, news as never, [path])).toEqual(expected);
});

test("a child of a renamed parent is looked for under the old parent, with the old beginning of its name", () => {
  const parent = "urn:pulumi:dev::p::t:index:C::new";
  const self = { stack: "dev", project: "p", name: "new-child", type: "t:index:T", parent };
  const renamed = new Map([[parent, "urn:pulumi:dev::p::t:index:C::old"]]);
  expect(aliasUrns(self, [], renamed)).toEqual(["urn:pulumi:dev::p::t:index:C$t:index:T::old-child"]);
  expect(aliasUrns(self, [{ noParent: true }], new Map())).toEqual([
    "urn:pulumi:dev::p::t:index:T::new-child",
  ]);
});
