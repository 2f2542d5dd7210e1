import * as fs from "node:fs";
import { capture, PROJECT } from "../../commands/programs";
import { docker, eventually, type Settings, TestStack } from "../support/stack";
import { type Ended, run } from "./child";
import type { Figure, Line } from "./table";

/** Database members of the measured stack: the default of every stack. */
export const MEMBERS = 3;
const ENTRIES = 2;

/** The measured stack, what has been measured of it, and its end. */
export class Bench {
  readonly stack = new TestStack({
    name: "bench",
    cluster: "pg-bench",
    ports: { write: 26432, read: 26433, statistics: 27000 },
    folder: "bench",
  });
  readonly lines: Line[] = [];
  private readonly started = Date.now();
  private interrupted = false;
  /** Of the measured stack, over the defaults of dev. */
  settings: Settings = {};

  get failed(): boolean {
    return this.lines.some((line) => line.measured === undefined);
  }

  say(text: string): void {
    const elapsed = ((Date.now() - this.started) / 1000).toFixed(0);
    console.log(`[${elapsed.padStart(4)} s] ${text}`);
  }

  /** Adds a line to the table. A measurement that fails is told at once, and the others go on. */
  async measure(name: string, work: () => Promise<Figure>): Promise<void> {
    await this.unlessInterrupted();
    this.say(name);
    try {
      this.lines.push({ name, measured: await work() });
    } catch (error) {
      await this.unlessInterrupted();
      this.lines.push({ name });
      this.say(`${name} COULD NOT BE MEASURED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** From now on nothing is measured any more: what is being measured fails, and nothing comes after it. */
  interrupt(): void {
    this.interrupted = true;
  }

  /** Holds up for good whoever would go on after an interrupt; the process ends without it. */
  private unlessInterrupted = (): Promise<void> =>
    this.interrupted ? new Promise(() => {}) : Promise.resolve();

  /** From now on the stack has these settings. */
  async prepare(): Promise<void> {
    this.stack.configure(this.settings);
    await this.stack.cli.prepare();
  }

  /** One verb of the CLI, timed. */
  invoke(...verb: string[]): Promise<Ended> {
    const { program, args, env } = this.stack.cli.invocation(verb);
    return run(program, args, { env });
  }

  /** Waits until the cluster is whole and every entry's health check passes: a fault must not meet the traces of the one before. */
  async settled(): Promise<string> {
    const leader = await this.stack.whole(MEMBERS);
    await eventually("every container is healthy", 120_000, async () => {
      const format = "{{.Name}} {{.State.Status}} {{.State.Health.Status}}";
      const states = await docker("inspect", "--format", format, ...(await this.stack.containers()));
      const unhealthy = states.split("\n").filter((state) => !state.endsWith(" running healthy"));
      if (unhealthy.length > 0) throw new Error(unhealthy.join(", "));
    });
    return leader;
  }

  entries(): string[] {
    return [...Array(ENTRIES).keys()].map((i) => this.stack.member("haproxy", i));
  }

  /**
   * Removes everything that bears the stack's name, by Docker alone: that works after any failure, takes a second, and the next `up`
   * starts from nothing.
   */
  async sweep(): Promise<void> {
    const { cluster, folder } = this.stack;
    const named = (text: string): string[] =>
      text
        .split("\n")
        .map((line) => line.split("\t"))
        .filter((columns) => columns.some((column) => column.startsWith(`${cluster}-`)))
        .map(([id = ""]) => id);
    // The label names the volume that a short-lived container of an interrupted run holds.
    const containers = named(
      await docker(
        "ps",
        "--all",
        "--format",
        '{{.ID}}\t{{.Names}}\t{{.Label "postgres-cluster.stack"}}-\t{{.Label "postgres-cluster.helper"}}',
      ),
    );
    if (containers.length > 0) await docker("rm", "--force", "--volumes", ...containers);
    const volumes = named(await docker("volume", "ls", "--format", "{{.Name}}"));
    if (volumes.length > 0) await docker("volume", "rm", ...volumes);
    const networks = await docker("network", "ls", "--format", "{{.Name}}");
    if (networks.split("\n").includes(cluster)) await docker("network", "rm", cluster);
    await this.forget();
    fs.rmSync(folder, { recursive: true, force: true });
  }

  /** The CLI's state may lie in a backend of the user's. */
  private async forget(): Promise<void> {
    const { program, env } = this.stack.cli.invocation(["stack"]);
    const verb = ["stack", "rm", "--force", "--yes", "--preserve-config", "--stack", this.stack.name];
    // A stack that is not there (any more) is what is wanted.
    await capture(program, [...verb, "--cwd", PROJECT], env).catch(() => undefined);
  }
}
