import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

/** The project's folder. */
export const PROJECT = path.join(__dirname, "..");
/** Local state of stacks: never committed, mode 0700. */
export const STATE = path.join(PROJECT, ".state");

/** A program to start, with its arguments and environment. */
export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The first folder in PATH with a program of this name. */
export const folderOnPath = (program: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .find((folder) => folder !== "" && fs.existsSync(path.join(folder, program)));

/** Whether PATH has a program of this name. */
export const onPath = (program: string): boolean => folderOnPath(program) !== undefined;

/**
 * Programs that start Node must find the project's own, not the system's older one. Node processes started by the CLI load the SDK's
 * modules lazily.
 */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const lazy = `--require ${JSON.stringify(path.join(PROJECT, "scripts/lazy-modules.js"))}`;
  return {
    ...process.env,
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], lazy].filter(Boolean).join(" "),
    PATH: `${path.join(PROJECT, "node_modules/.bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
    ...extra,
  };
}

/** Runs a program and resolves with its output; rejects with its error output if it fails. */
export function capture(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = environment(),
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env, cwd: PROJECT });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else
        reject(
          new Error(
            `${program} ${args[0] ?? ""} failed (${code ?? "killed"}): ${Buffer.concat(err).toString().trim()}`,
          ),
        );
    });
  });
}

export const captured = ({ program, args, env }: Invocation): Promise<string> => capture(program, args, env);
