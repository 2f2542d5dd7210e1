// Drives the real command on a test program, each stack in a folder of its own.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResourceState, StateFile } from "../../state";

const ENGINE = join(__dirname, "..", "..", "bin.js");
const LAZY = join(__dirname, "..", "..", "..", "scripts", "lazy-modules.js");

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Everything that was printed. */
  readonly text: string;
}

export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly replace: number;
  readonly delete: number;
  readonly same: number;
  readonly ok: boolean;
  readonly outputs: Record<string, unknown>;
  readonly diagnostics: { urn: string; severity: string; message: string }[];
}

export type Listed = Record<string, unknown> & { readonly name: string };

// Each run of the engine starts three processes; a busy machine takes its time.
jest.setTimeout(180_000);

const stacks: Stack[] = [];

export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), "local-engine-"));
  readonly env: NodeJS.ProcessEnv;

  constructor(readonly program = join(__dirname, "..", "programs", "things")) {
    mkdirSync(join(this.folder, "gates"));
    mkdirSync(join(this.folder, "found"));
    this.env = {
      ...process.env,
      // As the commands start it.
      NODE_OPTIONS: `--require ${JSON.stringify(LAZY)}`,
      LOCAL_ENGINE_STATE_DIR: join(this.folder, "state"),
      PULUMI_CONFIG_PASSPHRASE: "test",
      THINGS: join(this.folder, "things.json"),
      THINGS_FOLDER: this.folder,
    };
    stacks.push(this);
  }

  write(resources: readonly Listed[], more: Record<string, unknown> = {}): void {
    writeFileSync(join(this.folder, "things.json"), JSON.stringify({ resources, ...more }));
  }

  command(args: readonly string[]): string[] {
    return [ENGINE, ...args, "--stack", "dev", "--cwd", this.program];
  }

  run(...args: string[]): Promise<Result> {
    return new Promise((resolve) => {
      const options = { env: this.env, maxBuffer: 1 << 28 };
      execFile(process.execPath, this.command(args), options, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, out, err, text: out + err });
      });
    });
  }

  /** Runs a verb with --json; a failure is a failure of the test unless it is expected. */
  async counts(
    verb: string,
    expected: "succeeds" | "fails" = "succeeds",
    ...args: string[]
  ): Promise<Counts> {
    const result = await this.run(verb, "--json", ...args);
    if ((result.code === 0) !== (expected === "succeeds"))
      throw new Error(`${verb} did not end as expected:\n${result.text}`);
    return JSON.parse(result.out) as Counts;
  }

  up(resources: readonly Listed[], expected: "succeeds" | "fails" = "succeeds"): Promise<Counts> {
    this.write(resources);
    return this.counts("up", expected);
  }

  preview(resources: readonly Listed[]): Promise<Counts> {
    this.write(resources);
    return this.counts("preview");
  }

  /** Starts a verb and leaves it running. */
  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, this.command(args), { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
  }

  openGate(name: string): void {
    writeFileSync(join(this.folder, "gates", name), "");
  }

  found(name: string, text: string): void {
    writeFileSync(join(this.folder, "found", name), text);
  }

  /** The steps that the things noted since the last call. */
  journal(): string[] {
    const file = join(this.folder, "journal");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").trim().split("\n");
    rmSync(file);
    return lines;
  }

  async journalHas(line: string): Promise<void> {
    const file = join(this.folder, "journal");
    await until(
      `"${line}" in the journal`,
      () => existsSync(file) && readFileSync(file, "utf8").split("\n").includes(line),
    );
  }

  stateText(): string {
    return readFileSync(join(this.folder, "state", "dev.json"), "utf8");
  }

  state(): StateFile["deployment"] {
    return (JSON.parse(this.stateText()) as StateFile).deployment;
  }

  resource(name: string): ResourceState | undefined {
    return this.state().resources?.find(({ urn }) => urn.endsWith(`::${name}`));
  }

  names(): string[] {
    const own = (this.state().resources ?? []).filter(({ type }) => !type.startsWith("pulumi:"));
    return own.map(({ urn }) => urn.slice(urn.lastIndexOf("::") + 2)).sort();
  }
}

export async function until(what: string, condition: () => boolean, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`after ${seconds} s still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

/** For afterAll: nothing of the stacks stays on the machine. */
export function removeStacks(): void {
  for (const { folder } of stacks.splice(0)) rmSync(folder, { recursive: true, force: true });
}
