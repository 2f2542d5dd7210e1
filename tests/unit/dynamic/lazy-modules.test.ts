import { execFileSync } from "node:child_process";
import { PROJECT } from "../../../commands/programs";

/** What a process prints that loads the SDK as a program of `pulumi up` does. */
const inProgram = (body: string): string =>
  execFileSync(
    process.execPath,
    [
      "-e",
      `require("./scripts/lazy-modules.js");
       const { runtime } = require("@pulumi/pulumi");
       const loaded = () => ["typescript", "@npmcli/arborist", "pacote"].filter((name) =>
         Object.values(require.cache).some(({ filename, children, parent }) =>
           filename.includes("/node_modules/" + name + "/") && (children.length > 0 || parent)));
       (async () => { ${body} })();`,
    ],
    { cwd: PROJECT, encoding: "utf8", stdio: "pipe" },
  );

describe("what the SDK names and a run without new providers does not use (P2)", () => {
  test("is not loaded", () => {
    expect(inProgram("console.log(loaded())")).toBe("[]\n");
  });

  test("is loaded when it is used, and works as ever", () => {
    const body = `
      const answer = 42;
      const { text } = await runtime.serializeFunction(() => answer);
      const { Arborist } = require("@npmcli/arborist");
      console.log(require("require-from-string")(text).handler(), typeof new Arborist({ path: "." }).loadActual, loaded());`;
    expect(inProgram(body)).toBe("42 function [ 'typescript', '@npmcli/arborist', 'pacote' ]\n");
  });
});
