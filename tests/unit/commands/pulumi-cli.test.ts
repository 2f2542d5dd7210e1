import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { hasDeadLock } from "../../../commands/pulumi-cli";

const backend = mkdtempSync(join(tmpdir(), "backend-"));
afterAll(() => rmSync(backend, { recursive: true }));

/** As the CLI writes it into a backend that is a folder. */
function lock(stack: string, pid: number, host: string): void {
  const folder = join(backend, ".pulumi/locks/organization/postgres-cluster", stack);
  mkdirSync(folder, { recursive: true });
  const content = { pid, username: "root", hostname: host, timestamp: new Date().toISOString() };
  writeFileSync(join(folder, "6d3c1f0e.json"), JSON.stringify(content));
}

test("a lock of the CLI is nobody's only if its process of this machine is gone (F3)", async () => {
  expect(hasDeadLock(backend, "dev")).toBe(false);
  const ended = spawn("true");
  await once(ended, "exit");
  lock("dev", ended.pid ?? 0, hostname());
  expect(hasDeadLock(backend, "dev")).toBe(true);
  expect(hasDeadLock(backend, "other")).toBe(false);
  lock("dev", process.pid, hostname());
  expect(hasDeadLock(backend, "dev")).toBe(false);
  lock("dev", ended.pid ?? 0, "another-machine");
  expect(hasDeadLock(backend, "dev")).toBe(false);
});
