import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processId } from "../../../commands/processes";
import { claimForThisRun } from "../../support/one-run";

const folder = mkdtempSync(join(tmpdir(), "one-run-"));
const file = join(folder, "pg-test.tests.json");
let other: ChildProcess;
beforeEach(() => {
  other = spawn("sleep", ["60"]);
  writeFileSync(file, JSON.stringify(processId(other.pid!)));
});
afterEach(() => other.kill());
afterAll(() => rmSync(folder, { recursive: true }));

const held = (): unknown => JSON.parse(readFileSync(file, "utf8"));

test("the stack of a run that goes on is refused, with who has it", () => {
  expect(() => claimForThisRun("pg-test", folder)).toThrow(
    `pg-test is in use by another run of the tests, process ${other.pid}: wait for its end`,
  );
  expect(held()).toEqual(processId(other.pid!));
  expect(() => claimForThisRun("pg-other", folder)).not.toThrow();
});

test("the stack of a run that has ended is this one's, and stays so; a number that was given again is no run", async () => {
  other.kill();
  await once(other, "exit");
  claimForThisRun("pg-test", folder);
  claimForThisRun("pg-test", folder);
  expect(held()).toEqual(processId(process.pid));
  writeFileSync(file, JSON.stringify({ pid: process.ppid, started: "before" }));
  claimForThisRun("pg-test", folder);
  expect(held()).toEqual(processId(process.pid));
});
