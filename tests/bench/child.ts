import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { environment, PROJECT } from "../../commands/programs";

/** What is running now, so that an interrupted measurement leaves no `up` behind that goes on making containers. */
const running = new Set<ChildProcess>();
let stopped = false;

export interface Ended {
  /** Both outputs, as they came. */
  readonly output: string;
  /** From the start of the program to its end. */
  readonly seconds: number;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** What it reads: also the way for secrets, which arguments must not hold. */
  readonly input?: string;
  /** Hears every line at once. */
  readonly onLine?: (line: string) => void;
}

const LINES_IN_ERRORS = 30;

/** Runs a program to its end; rejects with the end of its output when it fails. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { env = environment(), input, onLine } = options;
  if (stopped) return Promise.reject(new Error(`${program} ${args[0] ?? ""} is not started any more`));
  return new Promise((resolve, reject) => {
    const started = performance.now();
    // A group of its own: an interrupt from the keyboard is for `stopChildren`, which waits for the end.
    const child = spawn(program, [...args], { env, cwd: PROJECT, stdio: "pipe", detached: true });
    running.add(child);
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        onLine?.(line);
      });
    }
    // A program that ended without reading everything says so by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.on("close", (code) => {
      running.delete(child);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) resolve({ output: lines.join("\n"), seconds });
      else
        reject(
          new Error(
            `${program} ${args[0] ?? ""} failed (${code ?? "killed"}):\n${lines.slice(-LINES_IN_ERRORS).join("\n")}`,
          ),
        );
    });
  });
}

const PATIENCE_MS = 30_000;

/** Asks whatever is running to stop (an engine ends its running steps), and kills what does not. Nothing is started after that. */
export async function stopChildren(): Promise<void> {
  stopped = true;
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise<void>((resolve) => {
          const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
          child.once("close", () => {
            clearTimeout(timer);
            resolve();
          });
          child.kill("SIGTERM");
        }),
    ),
  );
}
