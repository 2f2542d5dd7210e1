import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const REPORT = resolve(__dirname, "../../../scripts/report.js");
const folder = mkdtempSync(join(tmpdir(), "report-"));
afterAll(() => rmSync(folder, { recursive: true }));

const failed = (fullName: string, message: string) => ({
  ...{ fullName, status: "failed", duration: 1 },
  failureMessages: [message],
});
const NOT_RUN = `Error: not run, since what it needs could not be set up: see "a"`;

/** What it prints of results, and what it adds to the end of the output. */
function reportOf(results: object): { readonly counts: string; readonly failures: readonly string[] } {
  const [file, failures] = [join(folder, "results.json"), join(folder, "failures")];
  writeFileSync(file, JSON.stringify(results));
  writeFileSync(failures, "failed: lint\n");
  const counts = execFileSync(process.execPath, [REPORT, file, failures], { encoding: "utf8" }).trim();
  return { counts, failures: readFileSync(failures, "utf8").trim().split("\n") };
}

test("the end of the output says of each failure how its message begins and ends, and counts what was not run", () => {
  const long = ["Error: \x1b[31mup failed\x1b[39m", ...Array.from({ length: 30 }, (_, i) => `line ${i}`)];
  const { counts, failures } = reportOf({
    ...{ numPassedTests: 7, numFailedTests: 4, numRuntimeErrorTestSuites: 1 },
    ...{ numPendingTests: 2, numTodoTests: 1 },
    testResults: [
      {
        name: "one.test.ts",
        message: "of all of them",
        assertionResults: [
          failed("one a", [...long, "    at run (one.test.ts:1:1)"].join("\n")),
          failed("one b", NOT_RUN),
          failed("one c", NOT_RUN),
          { fullName: "one d", status: "passed", duration: 1, failureMessages: [] },
        ],
      },
      { name: "two.test.ts", message: "cannot be read", assertionResults: [] },
      { name: "three.test.ts", message: "", assertionResults: [] },
    ],
  });
  // A suite that could not even run counts as a failure.
  expect(counts).toBe("7 5 3");
  expect(failures).toEqual([
    "failed: lint",
    "failed: one a",
    ...["    Error: up failed", "    line 0", "    line 1", "    line 2", "    [17 lines]"],
    ...Array.from({ length: 10 }, (_, i) => `    line ${20 + i}`),
    "failed: 2 more of one.test.ts, not run, since what it needs could not be set up",
    "failed: two.test.ts",
    "    cannot be read",
  ]);
});
