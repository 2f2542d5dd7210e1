// A run of an engine ends with the command that started it, and the command with its own parent (make), however they end: otherwise the
// engine goes on by itself, up to the longest deadline in it, and holds the stack's lock. What ends a run:
//   - a signal to the command, or the end of its parent: the engine is asked to stop, and killed if it does not in time;
//   - the end of the command by force: a second process, the guard, sees it and does the same;
//   - the end of the guard too: the next run of the stack finds the record of this one, and does the same before it begins.
// Each process of a run is known by a variable in its environment, since a parent that was killed leaves children that are nobody's.

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

/** What the guard is told when there is nothing for it to do. */
export const DONE = "done";
const VARIABLE = "POSTGRES_CLUSTER_RUN";

/** How long an engine that was asked to stop may take to end the steps that are under way. */
const STEPS_MS = 10_000;
/** How long it may take when it was asked a second time, which engines obey at once. */
const AT_ONCE_MS = 3_000;
/** Requests that come together are one: a terminal tells everybody, and make passes on what it is told. */
const TOGETHER_MS = 1_000;
const LOOK_MS = 300;

export interface RunRecord {
  /** Value of the variable that its processes have. */
  readonly run: string;
  readonly verb: string;
  readonly command: ProcessId;
  /** Whose end ends the command. */
  readonly parent: ProcessId;
  readonly engine: ProcessId;
  readonly stepsMs: number;
}

export interface RunOf {
  readonly stack: string;
  readonly verb: string;
  /** Where the stack's runs are recorded. */
  readonly folder: string;
  /** Default: 10 s. */
  readonly stepsMs?: number;
}

export function readRecord(file: string): RunRecord | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as RunRecord;
  } catch {
    // Removed by the run itself, or half written by one that was killed at once.
    return undefined;
  }
}

/** Asks the run's engine to stop, and ends every process of it that is left in the end. */
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

/** Ends what is left of the stack's runs whose command or whose command's parent is gone. */
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
    console.error(`a run of this stack (${verb}) was left by what started it: ending it first`);
    if (isAlive(command)) signal(command.pid, "SIGTERM");
    if (!(await becomes(() => !isAlive(command), stepsMs + 3 * AT_ONCE_MS))) signal(command.pid, "SIGKILL");
    await endRun(file, record);
  }
}

/**
 * Runs an engine with this terminal as its own, and resolves with its exit code. In a session of its own, so that a signal from the
 * keyboard reaches this process, which passes it on once: to engines a second one means "at once".
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
    // Bounded, or the run would wait for the longest deadline of its steps.
    setTimeout(() => void endRun(file, { ...record, stepsMs: AT_ONCE_MS }), stepsMs).unref();
  });
  try {
    return await ended;
  } finally {
    stopListening();
    // An engine that was killed may leave others behind.
    await endRun(file, record);
    guard.stdin.end(DONE);
  }
}

/** Calls `stop` at each request, which the end of the parent is, too. Returns the function that no longer listens. */
function onRequestToStop(parent: number, stop: () => void): () => void {
  let last = -Infinity;
  const request = (why: string): void => {
    if (performance.now() - last < TOGETHER_MS) return;
    last = performance.now();
    console.error(`${why}: the engine is asked to stop`);
    stop();
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (name: NodeJS.Signals): void => {
    // Node does not keep what nohup asked for.
    if (name !== "SIGHUP" || !ignoresHangup(parent)) request(name);
  };
  for (const name of names) process.on(name, onSignal);
  // Whoever closed the terminal reads no more.
  const ignore = (): void => {};
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignore);
  // Who holds them back from the start means nothing by it.
  let asked = isAskedToEnd(parent) ? -Infinity : 0;
  const look = setInterval(() => {
    const gone = process.ppid !== parent;
    // Twice in a row: many a program holds signals back for a moment.
    asked = isAskedToEnd(parent) ? asked + 1 : 0;
    if (!gone && asked < 2) return;
    clearInterval(look);
    request(`what started this command ${gone ? "is gone" : "was asked to end"}`);
  }, LOOK_MS);
  look.unref();
  return () => {
    clearInterval(look);
    for (const name of names) process.off(name, onSignal);
  };
}
