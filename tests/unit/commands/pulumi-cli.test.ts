import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { hasDeadLock, pulumiCli } from "../../../commands/pulumi-cli";

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

describe("what is wrong with a CLI or its backend is said before anything is done (C1)", () => {
  const before = { ...process.env };
  let folder: string;
  /** A CLI on PATH that answers so. */
  const cli = (version: string, stack: string): void => {
    const script = `#!/bin/sh\ncase "$1" in version) echo ${version} ;; stack) ${stack} ;; esac\n`;
    writeFileSync(join(folder, "pulumi"), script, { mode: 0o755 });
  };
  const prepare = (stack = "dev"): Promise<void> =>
    pulumiCli(stack, { settings: join(folder, "Pulumi.dev.yaml"), state: join(folder, "state") }).prepare();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-cli-"));
    writeFileSync(join(folder, "Pulumi.dev.yaml"), "config: {}\n");
    process.env["PATH"] = `${folder}:${before["PATH"]}`;
    process.env["PULUMI_HOME"] = join(folder, "home");
    delete process.env["PULUMI_BACKEND_URL"];
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true });
  });

  test.each(["v3.91.1", "v3.258.9", "v2.900.0"])("%s is too old", async (version) => {
    cli(version, "echo '{}'");
    await expect(prepare()).rejects.toThrow(
      `the pulumi on PATH (${join(folder, "pulumi")}) is ${version}, but requiredPulumiVersion in Pulumi.yaml is 3.259.0 or newer`,
    );
  });

  test("the remedy names the stack", async () => {
    cli("v3.91.1", "echo '{}'");
    await expect(prepare("demo")).rejects.toThrow(
      /remove it from PATH: 'make up STACK=demo' then installs one/,
    );
  });

  test.each(["v3.259.0", "v3.1000.0", "v4.0.0", "v3.274.1-alpha.1", "dev"])("%s is not", async (version) => {
    cli(version, "echo '{}'");
    await prepare();
  });

  test.each([
    [
      "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
      /'pulumi login'/,
    ],
    ['error: unable to open state directory "file:///x": stat /x: no such file', /check PULUMI_BACKEND_URL/],
    ['error: read ".pulumi/meta.yaml": blob (code=Unknown)', /check PULUMI_BACKEND_URL/],
  ])("a backend that says `%s` is told with the way out", async (said, wayOut) => {
    cli("v3.274.1", `echo '${said}' >&2; exit 3`);
    await expect(prepare()).rejects.toThrow(wayOut);
    await expect(prepare()).rejects.toThrow(said);
  });
});
