import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { capture, PROJECT } from "./engine";

/** A container of a stack, as the Docker engine sees it. */
export interface Member {
  readonly name: string;
  readonly workload: string;
  /** `running`, `exited`, `restarting`, ... */
  readonly state: string;
  /** For instance `Up 2 minutes (healthy)`. */
  readonly status: string;
}

/** What the names of the stack's members start with, as `stacks/settings.ts` reads it. */
export function clusterName(stack: string): string {
  const file = path.join(PROJECT, `Pulumi.${stack}.yaml`);
  const settings = parse(fs.readFileSync(file, "utf8")) as { config?: Record<string, unknown> };
  const cluster = settings.config?.["postgres-cluster:cluster"];
  return typeof cluster === "string" ? cluster : `pg-${stack}`;
}

/** Every container of the stack, by name. */
export async function members(stack: string, workload?: string): Promise<Member[]> {
  const label = `postgres-cluster.stack=${clusterName(stack)}`;
  const format = '{{.Names}}\t{{.Label "postgres-cluster.workload"}}\t{{.State}}\t{{.Status}}';
  const text = await capture("docker", ["ps", "--all", "--filter", `label=${label}`, "--format", format]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", of = "", state = "", status = ""] = line.split("\t");
      return { name, workload: of, state, status };
    })
    .filter((member) => workload === undefined || member.workload === workload)
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** A running member of the workload, or an error that says what to do. */
export async function runningMember(stack: string, workload: string): Promise<Member> {
  const all = await members(stack, workload);
  const running = all.find((member) => member.state === "running");
  if (running) return running;
  throw new CommandError(
    all.length === 0
      ? `the stack ${stack} has no ${workload}: bring it up with 'make up'`
      : `no ${workload} of the stack ${stack} is running (${all.map((m) => `${m.name}: ${m.state}`).join(", ")}): try 'make up', then 'make doctor'`,
  );
}

/** What an operator can mend; printed without a stack trace. */
export class CommandError extends Error {}

/** Runs a command in a container and resolves with what it printed. */
export const execute = (container: string, command: readonly string[]): Promise<string> =>
  capture("docker", ["exec", container, ...command]);

/** Runs a command in a container with this terminal as its own; returns its exit code. */
export function interact(container: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  // Only the variables' names stand in the arguments, so that no other user of this machine reads a password in the process list.
  const names = Object.keys(env).flatMap((name) => ["--env", name]);
  const terminal = process.stdin.isTTY ? ["--interactive", "--tty"] : ["--interactive"];
  const done = spawnSync("docker", ["exec", ...terminal, ...names, container, ...command], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  return done.status ?? 1;
}

/** A member of Patroni's cluster, as the configuration store has it. */
export interface PatroniMember {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
  readonly TL?: number;
  readonly "Replay Lag"?: number | string;
  readonly "Pending restart"?: string;
}

/** Patroni's own view of its cluster. */
export async function patroniMembers(stack: string): Promise<PatroniMember[]> {
  const member = await runningMember(stack, "patroni");
  return JSON.parse(
    await execute(member.name, ["patronictl", "list", "--format", "json"]),
  ) as PatroniMember[];
}

export async function leader(stack: string): Promise<string> {
  const found = (await patroniMembers(stack)).find((member) => /leader/i.test(member.Role));
  if (!found) throw new CommandError("no member leads at this moment: 'make doctor' says why");
  return found.Member;
}
