import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { becomes, processesWith, signal } from "../../commands/processes";
import { type Invocation, PROJECT } from "../../commands/programs";
import type { StackFiles } from "../../commands/pulumi-cli";

/** What of an `up` is killed: all of its processes, or one of them, with which the others have to end by themselves. */
export const VICTIMS = ["everything", "the command", "the CLI", "a plugin", "the program"] as const;
export type Victim = (typeof VICTIMS)[number];

/** In what starts the process, beside others of the same words. */
const KNOWN_BY: Readonly<Record<Exclude<Victim, "everything" | "the command">, RegExp>> = {
  "the CLI": /^pulumi\0up\0/,
  "a plugin": /plugins\/start\.js\0(docker|random)|cmd\/dynamic-provider|pulumi-resource-/,
  "the program": /@pulumi\/pulumi\/cmd\/run[/\0]/,
};
/**
 * Within which every process of a run is gone, in ms. Of one whose command or CLI was killed it takes as long as a step that is under way; one
 * that needs its program or a plugin no more goes on to its end.
 */
const GONE_MS = { short: 90_000, whole: 600_000 };
const VARIABLE = "POSTGRES_CLUSTER_KILLED_RUN";

/** What `make up` runs, for the stack of a test. */
export function upCommand(stack: string, files: StackFiles, env: NodeJS.ProcessEnv): Invocation {
  const script = `
    require(${JSON.stringify(path.join(PROJECT, "scripts/typescript.js"))}).register();
    const { pulumiCli } = require(${JSON.stringify(path.join(PROJECT, "commands/pulumi-cli.ts"))});
    pulumiCli(${JSON.stringify(stack)}, ${JSON.stringify(files)})
      .run(["up", "--yes", "--refresh"]).then((code) => (process.exitCode = code));`;
  return { program: process.execPath, args: ["-e", script], env };
}

/** Starts it, and kills `victim` after `ms`, or as soon as there is one. Resolves with whether it was killed, when no process is left. */
export async function killed(
  { program, args, env }: Invocation,
  victim: Victim,
  ms: number,
): Promise<boolean> {
  const run = randomUUID();
  const child = spawn(program, [...args], {
    ...{ cwd: PROJECT, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    env: { ...env, [VARIABLE]: run },
  });
  const printed: string[] = [];
  for (const output of [child.stdout, child.stderr])
    output.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const moment = new Promise<"moment">((resolve) => setTimeout(() => resolve("moment"), ms));
  const first = await Promise.race([exited, moment]);
  if (first !== "moment") {
    if (first !== 0) throw new Error(`up failed before it was to be killed:\n${printed.join("")}`);
    return false;
  }
  let victims: number[] = [];
  await becomes(() => {
    victims = victimsOf(child, run, victim);
    return victims.length > 0 || child.exitCode !== null;
  }, GONE_MS.short);
  for (const pid of victims) signal(pid, "SIGKILL");
  const left = (): number[] => processesWith(VARIABLE, run);
  const gone = victim === "a plugin" || victim === "the program" ? GONE_MS.whole : GONE_MS.short;
  if (!(await becomes(() => left().length === 0, gone)))
    throw new Error(
      `${gone / 1000} s after ${victim} was killed these go on: ${left().map(commandOf).join("; ")}\n${printed.join("")}`,
    );
  return victims.length > 0;
}

function victimsOf({ pid = 0 }: ChildProcess, run: string, victim: Victim): number[] {
  if (victim === "the command") return [pid];
  const all = processesWith(VARIABLE, run);
  if (victim === "everything") return all;
  return all.filter((each) => KNOWN_BY[victim].test(commandOf(each))).slice(0, 1);
}

function commandOf(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
