// Drives the real CLI with our plugins on a test program, each stack in a folder of its own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { environment } from "../../commands/programs";
import { layOutPlugins, pulumiProgram } from "../../commands/pulumi-program";

/** What the summary of a run counts, by operation, and what was said. */
export interface Outcome {
  readonly changes: Readonly<Record<string, number>>;
  /** Errors and warnings, as a person reads them. */
  readonly said: string;
  /** What policy packs reported. */
  readonly policies: readonly string[];
  readonly ok: boolean;
}

interface EngineEvent {
  readonly diagnosticEvent?: { readonly message: string; readonly severity: string };
  readonly policyEvent?: { readonly message: string };
  readonly summaryEvent?: { readonly resourceChanges: Readonly<Record<string, number>> };
}

interface ResourceState {
  readonly urn: string;
  readonly id?: string;
  readonly initErrors?: readonly string[];
}

interface Deployment {
  readonly resources?: readonly ResourceState[];
  readonly pending_operations?: readonly { readonly type: string }[];
}

export class CliStack {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-plugins-"));
  readonly env: NodeJS.ProcessEnv;

  private constructor(private readonly program: string) {
    const cli = pulumiProgram();
    if (cli === undefined) throw new Error("there is no Pulumi CLI on this machine");
    const home = path.join(this.folder, "home");
    layOutPlugins(home);
    this.env = environment({
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // Whatever this machine has on its PATH besides, these plugins are what is tried.
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    });
    if (cli.folder !== undefined) this.env["PATH"] = `${cli.folder}${path.delimiter}${this.env["PATH"]}`;
  }

  /** A stack named dev of the program in this folder. */
  static async of(program: string): Promise<CliStack> {
    const stack = new CliStack(program);
    // It writes the salt of the passphrase beside the Pulumi.yaml that it finds.
    fs.copyFileSync(path.join(program, "Pulumi.yaml"), path.join(stack.folder, "Pulumi.yaml"));
    const { code, text } = await stack.run(stack.folder, "stack", "init", "--no-select");
    if (code !== 0) throw new Error(text);
    return stack;
  }

  private get settings(): string {
    return path.join(this.folder, "Pulumi.dev.yaml");
  }

  private command(verb: readonly string[], folder = this.program): string[] {
    return [...verb, "--stack", "dev", "--cwd", folder, "--non-interactive"];
  }

  private verb(verb: string, ...options: readonly string[]): string[] {
    const unasked = verb === "preview" ? [] : ["--yes", "--skip-preview"];
    return [verb, "--json", "--config-file", this.settings, ...unasked, ...options];
  }

  private run(folder: string, ...verb: string[]): Promise<{ code: number; out: string; text: string }> {
    return new Promise((resolve) => {
      const options = { env: this.env, maxBuffer: 1 << 28 };
      execFile("pulumi", this.command(verb, folder), options, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, out, text: out + err });
      });
    });
  }

  /** A failure is a failure of the test unless it is expected. */
  async outcome(
    verb: "up" | "refresh" | "destroy",
    expected: "succeeds" | "fails" = "succeeds",
    ...options: string[]
  ): Promise<Outcome> {
    const { code, out, text } = await this.run(this.program, ...this.verb(verb, ...options));
    if ((code === 0) !== (expected === "succeeds"))
      throw new Error(`${verb} did not end as expected:\n${text}`);
    const lines = out.split("\n").filter((line) => line.startsWith("{"));
    const events = lines.map((line) => JSON.parse(line) as EngineEvent);
    return {
      ok: code === 0,
      changes: events.findLast(({ summaryEvent }) => summaryEvent)?.summaryEvent?.resourceChanges ?? {},
      said: events
        .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
        .filter(({ severity }) => severity === "error" || severity === "warning")
        .map(({ message }) => message)
        .join("\n"),
      policies: events.flatMap(({ policyEvent }) => policyEvent?.message.trim().split("\n").at(-1) ?? []),
    };
  }

  /** What a command prints that is about no stack. */
  async said(...command: string[]): Promise<string> {
    const { code, out, text } = await this.run(this.program, ...command);
    if (code !== 0) throw new Error(text);
    return out;
  }

  /** Starts a verb and leaves it running, in a process group of its own. */
  start(verb: "up"): ChildProcess {
    return spawn("pulumi", this.command(this.verb(verb)), {
      env: this.env,
      stdio: "ignore",
      detached: true,
    });
  }

  /** Takes the lock of a run that was killed away. */
  async cancel(): Promise<void> {
    const { code, text } = await this.run(this.program, "cancel", "--yes");
    if (code !== 0) throw new Error(text);
  }

  stateText(): string {
    const stacks = path.join(this.folder, ".pulumi/stacks");
    const [file] = fs
      .readdirSync(stacks, { recursive: true, encoding: "utf8" })
      .filter((name) => path.basename(name) === "dev.json");
    return fs.readFileSync(path.join(stacks, file ?? "dev.json"), "utf8");
  }

  deployment(): Deployment {
    return (
      (JSON.parse(this.stateText()) as { checkpoint: { latest: Deployment | null } }).checkpoint.latest ?? {}
    );
  }

  resource(name: string): ResourceState | undefined {
    return this.deployment().resources?.find(({ urn }) => urn.endsWith(`::${name}`));
  }

  async outputs(): Promise<unknown> {
    return JSON.parse((await this.run(this.program, "stack", "output", "--json")).out) as unknown;
  }
}
