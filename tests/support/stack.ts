import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { capture, type Invocation, PROJECT, STATE } from "../../commands/programs";
import { type PulumiCli, pulumiCli } from "../../commands/pulumi-cli";
import type { Stack } from "../../commands/stack";
import { deleteVolumes, volumesOf } from "../../commands/volumes";
import { LABELS } from "../../components/reach/docker/names";
import type { Reach } from "../../components/reach/reach";
import { containers, type Inside } from "./inside";
import { claimForThisRun } from "./one-run";
import { killed, upCommand, type Victim } from "./victims";
import { query, type WriterTarget } from "./writer";

const run = promisify(execFile);

/** Settings of a stack as Pulumi.<stack>.yaml has them, without the project's prefix. */
export type Settings = Readonly<Record<string, unknown>>;

/** How a stack of a test is told apart from others: by default the suites' own. */
export interface TestStackArgs {
  readonly name: string;
  /** What its containers' names begin with. */
  readonly cluster: string;
  /** On 127.0.0.1; undefined where the platform publishes none. */
  readonly ports: { readonly write: number; readonly read: number; readonly statistics: number } | undefined;
  /** For its settings and its state, below `.state`. */
  readonly folder: string;
  /** Settings besides. Default: a replicated stack, whatever packages the machine has. */
  readonly over?: Settings;
}

/** From here on Linux takes ports for clients: https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range) */
const EPHEMERAL = 32_768;

const SUITES: TestStackArgs = {
  name: "test",
  cluster: "pg-test",
  ports: { write: 16432, read: 16433, statistics: 17000 },
  folder: "tests",
};

/** The suites' own stack, beside whatever else runs on this machine: other names, other ports, a state of its own. */
export class TestStack {
  readonly name: string;
  readonly cluster: string;
  readonly folder: string;
  readonly inside: Inside = containers;
  private readonly settingsFile: string;
  private readonly base: Settings;
  /** What the CLI's programs find in their environment besides. */
  private variables: NodeJS.ProcessEnv = {};

  constructor(args: Partial<TestStackArgs> = {}) {
    const { name, cluster, ports, folder, over } = { ...SUITES, ...args };
    // Above, any client's own end of a connection may have the port when a container is to publish it.
    for (const [which, port] of Object.entries(ports ?? {}))
      if (port >= EPHEMERAL)
        throw new Error(`port ${port} (${which}) of ${name}: must be below ${EPHEMERAL}`);
    this.name = name;
    this.cluster = cluster;
    this.folder = path.join(STATE, folder);
    this.settingsFile = path.join(this.folder, `Pulumi.${name}.yaml`);
    this.base = merged(
      { environment: "dev", cluster, ...(ports && { proxy: { ports } }) },
      over ?? { citus: "off" },
    );
  }

  /** As operators' commands know it. */
  get operated(): Stack {
    return { name: this.name, settings: this.settingsFile, state: this.folder };
  }

  get cli(): PulumiCli {
    return pulumiCli(this.name, { settings: this.settingsFile, state: this.folder });
  }

  /** Writes the stack's settings: the base with `over` merged into it, section by section. */
  configure(over: Settings = {}): void {
    fs.mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const config = Object.fromEntries(
      Object.entries(merged(this.base, over)).map(([key, value]) => [`postgres-cluster:${key}`, value]),
    );
    fs.writeFileSync(this.settingsFile, stringify({ config }));
  }

  /**
   * Brings it up with `over` for the first time. What a run that was interrupted has left is no obstacle: `up` goes on from a state that is
   * here, and else, as in a new clone, what nobody's state knows any more is taken away. What a run works with that goes on is not. Resolves
   * with what `up` printed.
   */
  async start(over: Settings = {}): Promise<string> {
    claimForThisRun(this.cluster);
    const [found, known] = await Promise.all([this.exists(), this.isKnown()]);
    if (found && !known) {
      console.log(`${this.cluster} was left by a run whose state is not here: it is taken away`);
      await this.removeStray();
    }
    // A machine that started anew may have lost all of it.
    if (known && !found) fs.rmSync(this.folder, { recursive: true });
    this.configure(over);
    this.variables = await this.account();
    return this.up("--refresh");
  }

  /** What says to the CLI's programs as whom they act. */
  protected account(): Promise<NodeJS.ProcessEnv> {
    return Promise.resolve({});
  }

  /** Whether the platform has any of it. */
  protected async exists(): Promise<boolean> {
    return (await Promise.all([this.containers(), volumesOf(this.cluster)])).some(({ length }) => length > 0);
  }

  /** Takes away what the state does not know. */
  protected async removeStray(): Promise<void> {
    // By name: some are a test's own, in the stack's network.
    const containers = await docker("ps", "--all", "--quiet", "--filter", `name=^${this.cluster}-`);
    if (containers !== "") await docker("rm", "--force", ...containers.split("\n"));
    await deleteVolumes(await volumesOf(this.cluster));
    const networks = await docker("network", "ls", "--quiet", "--filter", this.label);
    if (networks !== "") await docker("network", "rm", ...networks.split("\n"));
  }

  /** Whether a state of it is here. */
  private async isKnown(): Promise<boolean> {
    if (!fs.existsSync(this.settingsFile)) return false;
    const exported = await this.export().catch((error: unknown) => {
      // One that never was up; of any other error nothing follows.
      if (/has no state yet/.test(String(error))) return "{}";
      throw error;
    });
    const { deployment } = JSON.parse(exported) as { deployment?: { resources?: readonly unknown[] } };
    return (deployment?.resources ?? []).length > 0;
  }

  /** Runs a verb to its end and returns what it printed; throws with it when it fails. */
  async run(verb: string, ...options: string[]): Promise<string> {
    const { stdout, stderr } = await this.invoke(verb, ...options);
    return stdout + stderr;
  }

  /** The state as Pulumi writes it. */
  async export(...options: string[]): Promise<string> {
    return (await this.invoke("stack", "export", ...options)).stdout;
  }

  protected invocation(...args: string[]): Invocation {
    const invocation = this.cli.invocation(args);
    return { ...invocation, env: { ...invocation.env, ...this.variables } };
  }

  private async invoke(verb: string, ...options: string[]): Promise<{ stdout: string; stderr: string }> {
    await this.cli.prepare(verb);
    const { program, args, env } = this.invocation(verb, ...options);
    try {
      return await run(program, [...args], { env, cwd: PROJECT, maxBuffer: 64 * 1024 * 1024 });
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error(`${verb} failed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  up = (...options: string[]): Promise<string> => this.run("up", "--yes", ...options);
  preview = (...options: string[]): Promise<string> => this.run("preview", ...options);

  /** Starts `up` and kills it, and everything that it started, after `ms`. Resolves with whether it was still running. */
  upKilledAfter(ms: number): Promise<boolean> {
    return this.upKilled(() => new Promise((resolve) => setTimeout(resolve, ms)));
  }

  /** The same of what `make up` runs, of which only `victim` is killed. Resolves when no process of it is left, with whether one was. */
  upWithout(victim: Victim, ms: number): Promise<boolean> {
    const files = { settings: this.settingsFile, state: this.folder };
    return killed(upCommand(this.name, files, { ...process.env, ...this.variables }), victim, ms);
  }

  /** The same, as soon as it prints something that matches. */
  upKilledAt(pattern: RegExp): Promise<boolean> {
    return this.upKilled(
      (output) =>
        new Promise((resolve) => {
          createInterface({ input: output }).on("line", (line) => {
            if (pattern.test(line)) resolve();
          });
        }),
    );
  }

  /** Fails when `up` does, by itself: a run that ended before its moment is none that was killed. */
  private async upKilled(moment: (output: Readable) => Promise<void>): Promise<boolean> {
    await this.cli.prepare("up");
    const { program, args, env } = this.invocation("up", "--yes");
    const child = spawn(program, [...args], {
      ...{ env, cwd: PROJECT, detached: true },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed: string[] = [];
    for (const output of [child.stdout, child.stderr])
      output.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const killed = await Promise.race([exited.then(() => false), moment(child.stdout).then(() => true)]);
    if (killed && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    const code = await exited;
    if (!killed && code !== 0) {
      await closed;
      throw new Error(`up failed with exit code ${code}, before it was to be killed:\n${printed.join("")}`);
    }
    return killed;
  }

  /** Takes the stack down and deletes its volumes. */
  async remove(): Promise<void> {
    await this.run("state", "unprotect", "--all", "--yes");
    await this.run("destroy", "--yes");
    await deleteVolumes(await volumesOf(this.cluster));
  }

  async outputs(): Promise<Outputs> {
    return (await this.cli.outputs()) as unknown as Outputs;
  }

  /** As whom and where clients connect. */
  async target(role: string, endpoint: "write" | "read" = "write"): Promise<WriterTarget> {
    const outputs = await this.outputs();
    return {
      addresses: outputs.endpoints[endpoint],
      database: outputs.database,
      user: role,
      password: outputs.passwords[role] ?? "",
      ca: outputs.certificateAuthority,
    };
  }

  member = (workload: string, ordinal: number): string => `${this.cluster}-${workload}-${ordinal}`;
  /** The name under which the other members know it. */
  addressOf(workload: string, ordinal: number): string {
    return this.member(workload, ordinal);
  }

  /** How this machine gets to a port of it. */
  reachOf(member: string, port: number): Reach {
    return { via: "docker", container: member, port };
  }

  private get label(): string {
    return `label=${LABELS.stack}=${this.cluster}`;
  }

  /** Every container of the stack. */
  async containers(): Promise<string[]> {
    const names = await docker("ps", "--all", "--filter", this.label, "--format", "{{.Names}}");
    return names === "" ? [] : names.split("\n").sort();
  }

  /** Patroni's own view of the cluster, from any member that answers. */
  async patroni(): Promise<readonly PatroniMember[]> {
    let last: unknown;
    for (const container of (await this.containers()).filter((name) =>
      name.startsWith(`${this.cluster}-patroni-`),
    )) {
      try {
        return JSON.parse(
          await docker("exec", container, "/usr/bin/python3", "-c", ASK_PATRONI),
        ) as PatroniMember[];
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`no member answers: ${String(last)}`);
  }

  /** For how long after an `up` members may still use former files, in ms: a container has read changed ones by then. */
  readonly readsFilesWithinMs: number = 0;

  /** Waits until all `members` of a plain cluster are there. Resolves with the leader's name. */
  async whole(members: number, deadlineMs = 180_000): Promise<string> {
    return eventually("the cluster is whole", deadlineMs, async () => {
      return leaderOfWhole(await this.patroni(), members);
    });
  }

  /** Makes the table that `Writer` writes to. */
  async prepareWrites(): Promise<void> {
    await query(
      await this.target("dpg_cluster"),
      "CREATE TABLE IF NOT EXISTS writes (run text, id bigint, at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (run, id))",
    );
  }
}

export interface Outputs {
  readonly endpoints: Readonly<Record<"write" | "read" | "statistics", readonly string[]>>;
  readonly database: string;
  readonly certificateAuthority: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly externalWorkers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface PatroniMember {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

/**
 * The leader's name, where one of `count` members leads and all others stream from it, some of them synchronously: without, a leader that is
 * cut off goes on alone. Else it throws with what it was shown.
 */
export function leaderOfWhole(all: readonly PatroniMember[], count: number): string {
  const leader = all.find(({ role, state }) => role === "leader" && state === "running");
  const streaming = all.filter(({ state }) => state === "streaming");
  const isSynchronous = count === 1 || streaming.some(({ role }) => /^(quorum|sync)_standby$/.test(role));
  if (!leader || all.length !== count || streaming.length !== count - 1 || !isSynchronous)
    throw new Error(JSON.stringify(all));
  return leader.name;
}

/**
 * Python for a member: what its own REST interface says of the cluster, as `PatroniMember`s. `patronictl` takes most of a second of a core,
 * which a cluster that fails over has better use for.
 */
export const ASK_PATRONI = `
import json, sys
sys.path.insert(0, "/usr/local/bin")
from patroni_rest import get
print(json.dumps([{key: member.get(key) for key in ("name", "role", "state")} for member in get("/cluster")["members"]]))
`;

/** The one over the other, section by section. */
export function merged(base: Settings, over: Settings): Settings {
  const sections = Object.entries(over).map(([key, value]) => {
    const section = base[key];
    return [key, isSection(section) && isSection(value) ? { ...section, ...value } : value];
  });
  return { ...base, ...Object.fromEntries(sections) };
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Runs the Docker client; resolves with its trimmed output. */
export const docker = async (...args: string[]): Promise<string> => (await capture("docker", args)).trim();

/** Repeats `attempt` until it does not throw; at the deadline it fails with what it saw last. */
export async function eventually<T>(what: string, deadlineMs: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline)
        throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${String(error)}`, {
          cause: error,
        });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
