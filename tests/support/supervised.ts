import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const SUPERVISE = resolve(__dirname, "../../config-files/supervise/supervise.py");

/** The supervisor outside a container: orphans still come to it (it is a subreaper), and it fences its own descendants. */
export class Supervised {
  readonly folder = mkdtempSync(join(tmpdir(), "supervise-"));
  output = "";
  exit: number | null | undefined;
  private process: ChildProcess | undefined;

  get pid(): number {
    return this.process!.pid!;
  }

  start(options: readonly string[], script: string): this {
    this.process = spawn("python3", [SUPERVISE, ...options, "--", "sh", "-c", script], {
      cwd: this.folder,
      // Its modules lie among the sources.
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
    });
    this.process.stderr!.on("data", (data: Buffer) => (this.output += data.toString()));
    this.process.on("exit", (code) => (this.exit = code));
    return this;
  }

  path = (name: string): string => join(this.folder, name);

  read(name: string): string {
    try {
      return readFileSync(this.path(name), "utf8");
    } catch {
      return "";
    }
  }

  lines = (name: string): string[] =>
    this.read(name)
      .split("\n")
      .filter((line) => line !== "");

  signal = (name: NodeJS.Signals): unknown => this.process!.kill(name);

  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`never: ${what}\n${this.output}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async end(): Promise<void> {
    if (this.process && this.exit === undefined) {
      this.signal("SIGTERM");
      await this.until("the end", () => this.exit !== undefined);
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** A zombie is dead: only its parent has yet to notice. */
export function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
