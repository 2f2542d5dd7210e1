import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { becomes, isAlive, type ProcessId, processId, signal } from "../../../commands/processes";
import { readRecord, type RunRecord } from "../../../commands/runs";

const ROOT = resolve(__dirname, "../../..");
const LONG_MS = 60_000;

/** An engine in small: a step that never ends, and a plugin in a session of its own. The second request to stop it obeys at once. */
const ENGINE = `
const { spawn } = require("node:child_process");
const { appendFileSync, writeFileSync } = require("node:fs");
let asked = 0;
process.on("SIGINT", () => {
  appendFileSync("asked", "x");
  if (++asked === 2) process.exit(130);
  if (process.env.QUICK) setTimeout(() => process.exit(130), 200);
});
const plugin = spawn(process.execPath, ["-e", process.env.PLUGIN ?? "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
writeFileSync("engine." + process.pid, String(plugin.pid));
setInterval(() => {}, 1000);
`;
const COMMAND = `
require(${JSON.stringify(join(ROOT, "scripts/typescript.js"))}).register();
const { foreground } = require(${JSON.stringify(join(ROOT, "commands/runs.ts"))});
const engine = { program: process.execPath, args: [process.cwd() + "/engine.js"], env: process.env };
foreground({ stack: "dev", verb: "up", folder: "runs", stepsMs: 300 }, engine).then((code) => (process.exitCode = code));
`;

/** `make up` in a folder of its own, with everything that it starts. */
class Run {
  readonly folder = mkdtempSync(join(tmpdir(), "runs-"));
  output = "";
  private readonly started: ProcessId[] = [];

  constructor() {
    writeFileSync(join(this.folder, "Makefile"), "SHELL := /bin/bash\n.SILENT:\nup:\n\t$(NODE) command.js\n");
    writeFileSync(join(this.folder, "engine.js"), `process.chdir(${JSON.stringify(this.folder)});${ENGINE}`);
    writeFileSync(join(this.folder, "command.js"), COMMAND);
    mkdirSync(join(this.folder, "runs"));
  }

  /** Resolves when its engine is at work. */
  async start(
    env: NodeJS.ProcessEnv = {},
    program: readonly string[] = ["make", "up"],
  ): Promise<{ child: ChildProcess; record: RunRecord; plugin: ProcessId }> {
    const before = this.records();
    const child = spawn(program[0] ?? "", program.slice(1), {
      ...{ cwd: this.folder, detached: true, stdio: ["ignore", "pipe", "pipe"] },
      env: { ...process.env, NODE: process.execPath, MAKEFLAGS: "", ...env },
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (this.output += data.toString()));
    let record: RunRecord | undefined;
    const working = await becomes(() => {
      const name = this.records().find((each) => !before.includes(each));
      record = name === undefined ? undefined : readRecord(join(this.folder, "runs", name));
      return record !== undefined && this.read(`engine.${record.engine.pid}`) !== "";
    }, LONG_MS);
    if (!working || record === undefined) throw new Error(`the engine is not at work:\n${this.output}`);
    const plugin = processId(Number(this.read(`engine.${record.engine.pid}`)));
    this.started.push(record.command, record.parent, record.engine, plugin);
    return { child, record, plugin };
  }

  records = (): string[] => readdirSync(join(this.folder, "runs")).filter((name) => name.endsWith(".json"));

  read(name: string): string {
    const file = join(this.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  remove(): void {
    for (const each of this.started) if (isAlive(each)) signal(each.pid, "SIGKILL");
    rmSync(this.folder, { recursive: true });
  }
}

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const;
const runs: Run[] = [];
const newRun = (): Run => {
  const run = new Run();
  runs.push(run);
  return run;
};
afterAll(() => {
  for (const run of runs) run.remove();
});

describe("up ends with what started it, whoever is killed, and leaves nothing in the way", () => {
  test.concurrent.each(
    (["make", "the command", "the engine", "everybody at once"] as const).flatMap((whom) =>
      SIGNALS.map((name) => [whom, name] as const),
    ),
  )("%s gets %s", async (whom, name) => {
    const run = newRun();
    const { child, record, plugin } = await run.start({ PLUGIN: "setInterval(() => {}, 1000)" });
    const { command, engine, parent } = record;
    expect(parent.pid).toBe(child.pid);
    const target = {
      ...{ make: parent.pid, "the command": command.pid, "the engine": engine.pid },
      "everybody at once": -parent.pid,
    }[whom];
    signal(target, name);
    // SIGINT is the one that an engine is asked with, and it is asked once.
    if (whom === "the engine" && name === "SIGINT") signal(command.pid, "SIGTERM");
    const all = [parent, command, engine, plugin];
    const left = (): string => JSON.stringify(all.map(isAlive));
    await becomes(() => !all.some(isAlive), LONG_MS);
    expect(left()).toBe("[false,false,false,false]");
    await becomes(() => run.records().length === 0, LONG_MS);
    expect(run.records()).toEqual([]);
  });

  test.concurrent.each(SIGNALS.slice(0, 3))(
    "everybody gets %s: steps end first, since the engine is asked once",
    async (name) => {
      const run = newRun();
      const { record } = await run.start({ QUICK: "1" });
      signal(-record.parent.pid, name);
      expect(await becomes(() => !isAlive(record.engine), LONG_MS)).toBe(true);
      expect(run.read("asked")).toBe("x");
    },
  );

  test.concurrent("a plugin that is deaf ends, too", async () => {
    const run = newRun();
    const deaf = "for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})";
    const { record, plugin } = await run.start({ PLUGIN: `${deaf}; setInterval(() => {}, 1000)` });
    signal(record.command.pid, "SIGKILL");
    expect(await becomes(() => !isAlive(plugin), LONG_MS)).toBe(true);
  });

  test.concurrent("a terminal that is closed ends it; nohup keeps it", async () => {
    const pty = (script: string): string[] => ["python3", "-c", CLOSED_TERMINAL, script];
    const closed = newRun();
    const { record, plugin } = await closed.start({}, pty("exec make up"));
    writeFileSync(join(closed.folder, "close"), "");
    expect(await becomes(() => ![record.command, record.engine, plugin].some(isAlive), LONG_MS)).toBe(true);

    const kept = newRun();
    const other = await kept.start({}, pty("trap '' HUP; exec make up"));
    writeFileSync(join(kept.folder, "close"), "");
    await becomes(() => kept.read("closed") !== "", LONG_MS);
    // As a shell that ends tells its jobs.
    signal(-other.record.parent.pid, "SIGHUP");
    // Longer than it takes to end one.
    expect(await becomes(() => !isAlive(other.record.engine), 2_000)).toBe(false);
    signal(other.record.command.pid, "SIGTERM");
    expect(await becomes(() => !isAlive(other.record.engine), LONG_MS)).toBe(true);
  });
});

describe("the next run", () => {
  test.concurrent("ends what is left of one whose command and guard were killed, and begins", async () => {
    const run = newRun();
    const first = await run.start();
    // The guard is the command's other child.
    const children = readFileSync(
      `/proc/${first.record.command.pid}/task/${first.record.command.pid}/children`,
    );
    for (const pid of children.toString().trim().split(" ").map(Number))
      if (pid !== first.record.engine.pid) signal(pid, "SIGKILL");
    signal(first.record.command.pid, "SIGKILL");
    await becomes(() => !isAlive(first.record.command), LONG_MS);
    expect(await becomes(() => !isAlive(first.record.engine), 1_000)).toBe(false);
    const second = await run.start();
    expect([first.record.engine, first.plugin, second.record.engine].map(isAlive)).toEqual([
      false,
      false,
      true,
    ]);
    expect(run.output).toContain("an orphaned run of this stack (up) is still running: ending it first");
    signal(second.record.command.pid, "SIGTERM");
    await becomes(() => !isAlive(second.record.engine), LONG_MS);
  });

  test.concurrent("leaves one alone that somebody waits for", async () => {
    const run = newRun();
    const first = await run.start();
    const second = await run.start();
    expect([first.record.engine, first.plugin, second.record.engine].map(isAlive)).toEqual([
      true,
      true,
      true,
    ]);
    for (const { record } of [first, second]) signal(record.command.pid, "SIGTERM");
    for (const { record } of [first, second]) await becomes(() => !isAlive(record.engine), LONG_MS);
  });
});

/** Runs a script on a terminal of its own, which it closes when the file `close` is there, as when its window is closed. */
const CLOSED_TERMINAL = `
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0: os.execvp("sh", ["sh", "-c", sys.argv[1]])
while not os.path.exists("close"):
    if select.select([terminal], [], [], 0.05)[0]: os.read(terminal, 65536)
os.close(terminal)
open("closed", "w").write("closed")
os.waitpid(pid, 0)
`;
