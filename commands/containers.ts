import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { PORTS } from "../config-files/ports";
import type { OwnerPlace } from "../components/reach/owner-mark";
import { capture, PROJECT } from "./programs";

/** A container of a stack, as the Docker engine sees it. */
export interface Member {
  readonly name: string;
  readonly workload: string;
  /** `running`, `exited`, `restarting`, ... */
  readonly state: string;
  /** For instance `Up 2 minutes (healthy)`. */
  readonly status: string;
}

/** What makes a container go on that does not. */
export const revival = ({ name, state }: Pick<Member, "name" | "state">): string =>
  state === "paused" ? `docker unpause ${name}` : `docker start ${name}, or 'make up'`;

/** What stands in the stack's settings, as it is written; `of` is whose setting it is. */
function written(stack: string, setting: string, of = "postgres-cluster"): unknown {
  const file = path.join(PROJECT, `Pulumi.${stack}.yaml`);
  const settings = parse(fs.readFileSync(file, "utf8")) as { config?: Record<string, unknown> };
  return settings.config?.[`${of}:${setting}`];
}

/** What the names of the stack's members start with, as `stacks/settings.ts` reads it. */
export function clusterName(stack: string): string {
  const cluster = written(stack, "cluster");
  return typeof cluster === "string" ? cluster : `pg-${stack}`;
}

/** Where the stack's data are, and what is set of how that Kubernetes cluster is reached. */
export function ownerPlace(stack: string): {
  readonly place: OwnerPlace;
  readonly kubernetes: (setting: string) => string | undefined;
} {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const cluster = clusterName(stack);
  const environment = text(written(stack, "environment")) ?? stack;
  return {
    place:
      environment === "prod"
        ? { via: "kubernetes", cluster, namespace: text(written(stack, "namespace")) ?? "postgres" }
        : { via: "docker", cluster },
    kubernetes: (setting) => text(written(stack, setting, "kubernetes")),
  };
}

/** Workers that somebody else runs: no container tells of them. */
export function externalWorkers(stack: string): readonly { readonly group: number; readonly host: string }[] {
  const workers = written(stack, "workers") as
    { external?: readonly { group: number; host: string }[] } | undefined;
  return workers?.external ?? [];
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

/** A group of database members: one database, or the coordinators (number 0) or a worker group of a distributed one. */
export interface Group {
  readonly workload: string;
  /** Its number in a Citus cluster. */
  readonly number?: number;
}

function asGroup(workload: string): Group | undefined {
  if (workload === "patroni") return { workload };
  if (workload === "coordinator") return { workload, number: 0 };
  const worker = /^worker-(\d+)$/.exec(workload)?.[1];
  return worker === undefined ? undefined : { workload, number: Number(worker) };
}

/** The groups of a stack, the one that clients speak to first. */
export async function groups(stack: string): Promise<readonly Group[]> {
  const workloads = new Set((await members(stack)).map((member) => member.workload));
  const found = [...workloads].flatMap((workload) => asGroup(workload) ?? []);
  if (found.length === 0)
    throw new CommandError(`the stack ${stack} has no database members: bring it up with 'make up'`);
  return found.sort((one, other) => (one.number ?? 0) - (other.number ?? 0));
}

/** The group that GROUP names by its number; without it, the one that clients speak to. */
export async function chosenGroup(stack: string): Promise<Group> {
  const all = await groups(stack);
  const wanted = process.env["GROUP"];
  const found = wanted ? all.find(({ number }) => String(number ?? 0) === wanted) : all[0];
  if (found) return found;
  const numbers = all.map(({ number }) => number ?? 0).join(", ");
  throw new CommandError(`the stack ${stack} has no group ${wanted ?? ""}: GROUP is one of ${numbers}`);
}

/** Arguments by which `patronictl` knows which group of a distributed database is meant. */
export const ofGroup = ({ number }: Group): readonly string[] =>
  number === undefined ? [] : ["--group", String(number)];

/** How long a member may be silent until the next is asked as well; patronictl takes less than one second. */
const SILENT_MS = 3_000;

/**
 * The answer of the first that has one. The next is asked when those before have failed, or are silent; fails with what the first said
 * when all have failed.
 */
export async function firstAnswer<Answer>(
  names: readonly string[],
  ask: (name: string) => Promise<Answer>,
  silentMs = SILENT_MS,
): Promise<Answer> {
  const answers: Promise<Answer>[] = [];
  for (const name of names) {
    answers.push(ask(name));
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), silentMs);
    });
    const answered = Promise.any(answers).then(
      (answer) => ({ answer }),
      () => undefined,
    );
    const found = await Promise.race([answered, silent]);
    clearTimeout(timer);
    if (found !== undefined) return found.answer;
  }
  return Promise.any(answers).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}

/** Patroni's own view of a group, from any member that reaches etcd: one that is cut off would try for ever. */
export async function patroniMembers(stack: string, group: Group): Promise<PatroniMember[]> {
  const first = await runningMember(stack, group.workload);
  const others = (await members(stack, group.workload)).filter(
    ({ name, state }) => state === "running" && name !== first.name,
  );
  const list = ["timeout", "10", "patronictl", "list", ...ofGroup(group), "--format", "json"];
  const answer = await firstAnswer(
    [first, ...others].map(({ name }) => name),
    (name) => execute(name, list),
  );
  return JSON.parse(answer) as PatroniMember[];
}

export async function leader(stack: string, group: Group): Promise<string> {
  const found = (await patroniMembers(stack, group)).find((member) => /leader/i.test(member.Role));
  if (!found) throw new CommandError(`no ${group.workload} leads at this moment: 'make doctor' says why`);
  return found.Member;
}

/** The command that runs etcdctl as root inside a member. */
export const etcdctl = (args: string): string[] => [
  "sh",
  "-c",
  `ETCDCTL_USER=root ETCDCTL_PASSWORD=$(cat /secrets/etcd/root-password) exec etcdctl \\
    --endpoints=https://127.0.0.1:${PORTS.etcdClient} --cacert=/secrets/tls/ca.crt ${args}`,
];

/** A superuser's psql in a member, over its socket. */
export const psqlIn = (database: string, ...args: readonly string[]): readonly string[] => [
  ...["psql", "--host", "/run/postgresql", "--dbname", database],
  ...args,
];
