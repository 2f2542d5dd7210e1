// A run of an engine ends with the command that started it, and the command with its own parent (make), however they end. Otherwise the
// engine would continue alone, up to its longest deadline, and hold the stack's lock. A run is ended by:
//   - a signal to the command, or the end of its parent: the engine is asked to stop, and killed if it does not stop in time;
//   - if the command is killed: a second process, the guard, notices and does the same;
//   - if the guard is killed too: the stack's next run finds the record of this one and does the same before it starts.
// Processes of a run are identified by a variable in their environment, because the children of a killed parent are orphans.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Invocation, PROJECT } from "./programs";
import {
  becomes,
  ignoresHangup,
  isAlive,
  isAskedToEnd,
  processesWith,
  type ProcessId,
  processId,
  signal,
} from "./processes";

/** Tells the guard that the run has ended normally. */
export const DONE = "done";
const VARIABLE = "POSTGRES_CLUSTER_RUN";

/** How long an engine that was asked to stop may take to finish the steps in progress. */
const STEPS_MS = 10_000;
/** How long it may take after the second request, at which engines stop immediately. */
const AT_ONCE_MS = 3_000;
/** Requests within this time count as one: a terminal signals all processes, and make forwards the signal. */
const TOGETHER_MS = 1_000;
const LOOK_MS = 300;

export interface RunRecord {
  /** The value of the variable in its processes' environment. */
  readonly run: string;
  readonly verb: string;
  readonly command: ProcessId;
  /** The process whose end ends the command. */
  readonly parent: ProcessId;
  readonly engine: ProcessId;
  readonly stepsMs: number;
}

export interface RunOf {
  readonly stack: string;
  readonly verb: string;
  /** The folder with the records of the stack's runs. */
  readonly folder: string;
  /** Default: 10 s. */
  readonly stepsMs?: number;
}

export function readRecord(file: string): RunRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as RunRecord;
  } catch {
    // Removed by the run itself, or incomplete because the run was killed while writing it.
    return undefined;
  }
}

/** Asks the run's engine to stop, then ends all remaining processes of the run. */
export async function endRun(file: string, { run, engine, stepsMs }: RunRecord): Promise<void> {
  const left = (): number[] => processesWith(VARIABLE, run);
  const gone = (): boolean => !isAlive(engine);
  for (const patience of [stepsMs, AT_ONCE_MS]) {
    if (gone()) break;
    signal(engine.pid, "SIGINT");
    await becomes(gone, patience);
  }
  for (const name of ["SIGTERM", "SIGKILL", "SIGKILL"] as const) {
    if (gone() && left().length === 0) break;
    for (const pid of new Set([...(gone() ? [] : [engine.pid]), ...left()])) signal(pid, name);
    await becomes(() => gone() && left().length === 0, AT_ONCE_MS);
  }
  fs.rmSync(file, { force: true });
}

/** Ends the remains of the stack's runs whose command, or the command's parent, is gone. */
export async function endLeftovers({ stack, folder }: Pick<RunOf, "stack" | "folder">): Promise<void> {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const name of names.filter((each) => each.startsWith(`${stack}.`) && each.endsWith(".json"))) {
    const file = path.join(folder, name);
    const record = readRecord(file);
    if (record === undefined) {
      fs.rmSync(file, { force: true });
      continue;
    }
    const { command, parent, verb, stepsMs } = record;
    if (isAlive(command) && isAlive(parent)) continue;
    console.error(`an orphaned run of this stack (${verb}) is still running: ending it first`);
    if (isAlive(command)) signal(command.pid, "SIGTERM");
    if (!(await becomes(() => !isAlive(command), stepsMs + 3 * AT_ONCE_MS))) signal(command.pid, "SIGKILL");
    await endRun(file, record);
  }
}

/**
 * Runs an engine in this terminal and resolves with its exit code. The engine has its own session, so that a signal from the keyboard only
 * reaches this process, which forwards it once: engines treat a second signal as a request to stop immediately.
 */
export async function foreground(of: RunOf, { program, args, env }: Invocation): Promise<number> {
  await endLeftovers(of);
  const { stack, verb, folder, stepsMs = STEPS_MS } = of;
  const run = randomUUID();
  const parent = processId(process.ppid);
  const engine = spawn(program, [...args], {
    ...{ stdio: "inherit", detached: true },
    ...{ env: { ...env, [VARIABLE]: run }, cwd: PROJECT },
  });
  const ended = new Promise<number>((resolve, reject) => {
    engine.on("error", reject);
    engine.on("exit", (code, by) => resolve(code ?? (by ? 130 : 1)));
  });
  const { pid } = engine;
  if (pid === undefined) return ended;
  const file = path.join(folder, `${stack}.${process.pid}.json`);
  const command = processId(process.pid);
  const record: RunRecord = { run, verb, command, parent, engine: processId(pid), stepsMs };
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, JSON.stringify(record), { mode: 0o600 });
  const guard = spawn(process.execPath, [path.join(__dirname, "guard.js"), file], {
    ...{ stdio: ["pipe", "ignore", "inherit"], detached: true },
  });
  guard.unref();
  const stopListening = onRequestToStop(parent.pid, () => {
    signal(pid, "SIGINT");
    // Limited in time: otherwise the run would wait for the longest deadline of its steps.
    setTimeout(() => void endRun(file, { ...record, stepsMs: AT_ONCE_MS }), stepsMs).unref();
  });
  try {
    return await ended;
  } finally {
    stopListening();
    // A killed engine may leave processes behind.
    await endRun(file, record);
    guard.stdin.end(DONE);
  }
}

/** Calls `stop` on each request to stop, which includes the end of the parent. Returns a function that stops listening. */
function onRequestToStop(parent: number, stop: () => void): () => void {
  let last = -Infinity;
  const request = (why: string): void => {
    if (performance.now() - last < TOGETHER_MS) return;
    last = performance.now();
    console.error(`${why}: asking the engine to stop`);
    stop();
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (name: NodeJS.Signals): void => {
    // Node does not inherit that nohup ignores SIGHUP.
    if (name !== "SIGHUP" || !ignoresHangup(parent)) request(name);
  };
  for (const name of names) process.on(name, onSignal);
  // If the terminal was closed, writing fails.
  const ignore = (): void => {};
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignore);
  // A parent that blocks the signals from the start is not handling a request.
  let asked = isAskedToEnd(parent) ? -Infinity : 0;
  const look = setInterval(() => {
    const gone = process.ppid !== parent;
    // Twice in a row: many programs block signals for a moment.
    asked = isAskedToEnd(parent) ? asked + 1 : 0;
    if (!gone && asked < 2) return;
    clearInterval(look);
    request(`the process that started this command ${gone ? "has ended" : "was asked to end"}`);
  }, LOOK_MS);
  look.unref();
  return () => {
    clearInterval(look);
    for (const name of names) process.off(name, onSignal);
  };
}
