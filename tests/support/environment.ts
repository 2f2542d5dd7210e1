import { setFlagsFromString } from "node:v8";
import vm from "node:vm";
import { TestEnvironment } from "jest-environment-node";

/**
 * Node's environment for tests, in which a worker compiles a source once for all of its test files. Jest gives every test file modules
 * of its own and, left alone, compiles Jest's, the SDK's and everybody's sources again for each: a third of what the unit tests took.
 * Only the code is shared; every test file runs it in its own context.
 */
const compiled = new Map<string, { text: string; script: vm.Script }>();
// V8 else drops what has not run for a while, and that is what the next test file needs.
setFlagsFromString("--no-flush-bytecode");

const compileFunction = vm.compileFunction;
vm.compileFunction = (source, params = [], options = {}) => {
  const { filename, parsingContext } = options;
  if (filename === undefined || parsingContext === undefined) return compileFunction(source, params, options);
  const opening = `(function (${params.join(",")}) {`;
  const text = `${opening}${source}\n})`;
  let known = compiled.get(filename);
  if (known?.text !== text) {
    known = { text, script: new vm.Script(text, { filename, columnOffset: -opening.length }) };
    compiled.set(filename, known);
  }
  return known.script.runInContext(parsingContext) as ReturnType<typeof compileFunction>;
};

/** What Jest's runner (jest-circus) says of a file while it runs, as far as it is used here. */
interface Hook {
  readonly type: "beforeAll" | "beforeEach" | "afterEach" | "afterAll";
  fn: (...args: readonly unknown[]) => unknown;
}
interface Test {
  readonly type: "test";
  readonly name: string;
  readonly errors: unknown[];
}
interface Block {
  readonly type: "describeBlock";
  readonly children: readonly (Block | Test)[];
  readonly hooks: readonly Hook[];
}
interface Event {
  readonly name: string;
  readonly hook?: Hook;
  readonly describeBlock?: Block;
}

const testsOf = (block: Block): Test[] =>
  block.children.flatMap((child) => (child.type === "test" ? [child] : testsOf(child)));
const hooksOf = (block: Block): Hook[] => [
  ...block.hooks,
  ...block.children.flatMap((child) => (child.type === "test" ? [] : hooksOf(child))),
];

/**
 * And in which a set-up that fails says why, once. Left alone, Jest repeats its error at every test, runs what else there is to set up, and
 * when the clean-up fails at what nobody has made ("cannot read properties of undefined") it shows nothing but that.
 */
export default class Environment extends TestEnvironment {
  handleTestEvent({ name, hook, describeBlock }: Event): void {
    if (name !== "hook_failure" || hook?.type !== "beforeAll" || describeBlock === undefined) return;
    const [first, ...others] = testsOf(describeBlock);
    for (const { errors } of others) {
      const brief = new Error(`not run, since what it needs could not be set up: see "${first?.name ?? ""}"`);
      // It is not about a line of this file.
      delete brief.stack;
      errors.splice(-1, 1, brief);
    }
    for (const each of hooksOf(describeBlock)) {
      const { fn } = each;
      if (each.type === "beforeAll") each.fn = () => undefined;
      // It still takes away what there is.
      else
        each.fn = async () =>
          Promise.resolve()
            .then(fn)
            .catch(() => undefined);
    }
  }
}
