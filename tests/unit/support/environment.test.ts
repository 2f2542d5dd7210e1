import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(__dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "environment-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly numFailedTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: string[] }[];
  }[];
}

/** What Jest says of a file of tests, run as ours are. */
async function reportOf(source: string): Promise<Report> {
  writeFileSync(join(folder, "a.test.js"), source);
  const config = {
    rootDir: folder,
    testEnvironment: join(ROOT, "tests/support/environment.ts"),
    transform: { "^.+\\.ts$": join(ROOT, "scripts/typescript.js") },
  };
  const jest = join(ROOT, "node_modules/jest/bin/jest.js");
  const args = [jest, "--config", JSON.stringify(config), "--json", "--runInBand"];
  const output = await new Promise<string>((done) =>
    execFile(process.execPath, args, { cwd: folder }, (_, out) => done(out)),
  );
  return JSON.parse(output) as Report;
}

test("a set-up that fails says why once, and neither the tests nor the clean-up hide it", async () => {
  const { numFailedTests, numPassedTests, testResults } = await reportOf(`
    const { writeFileSync } = require("node:fs");
    describe("on a server", () => {
      let server;
      beforeAll(async () => { throw new Error("no such package"); });
      beforeAll(() => { writeFileSync("second", ""); });
      afterAll(() => server.remove());
      afterAll(() => { writeFileSync("cleaned", ""); });
      test("a", () => server.ask());
      test("b", () => server.ask());
      describe("with a table", () => {
        let table;
        beforeAll(() => { table = server.table(); });
        afterEach(() => table.empty());
        test("c", () => table.ask());
      });
    });
    test("elsewhere", () => {});
  `);
  expect([numFailedTests, numPassedTests]).toEqual([3, 1]);
  const [file] = testResults;
  const said = file!.assertionResults.map(({ title, failureMessages }) => [
    title,
    failureMessages.map((message) => message.split("\n")[0]),
  ]);
  const brief = 'not run, since what it needs could not be set up: see "a"';
  expect(said).toEqual([
    ["a", ["Error: no such package"]],
    ["b", [expect.stringContaining(brief)]],
    ["c", [expect.stringContaining(brief)]],
    ["elsewhere", []],
  ]);
  // A line of its own: Jest shows the source, too.
  expect(file!.message.match(/^ *no such package$/gm)).toHaveLength(1);
  expect(file!.message).not.toContain("undefined");
  expect(existsSync(join(folder, "second"))).toBe(false);
  expect(readFileSync(join(folder, "cleaned"), "utf8")).toBe("");
});

test("a clean-up that fails after a set-up that did not is a failure", async () => {
  const { testResults } = await reportOf(`
    afterAll(() => { throw new Error("still there"); });
    test("a", () => {});
  `);
  expect(testResults[0]!.message).toContain("still there");
});
