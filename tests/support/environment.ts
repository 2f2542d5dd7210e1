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

export default TestEnvironment;
