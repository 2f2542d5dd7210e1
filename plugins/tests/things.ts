// What the test program makes on the Docker engine, whoever deploys it.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const docker = (...args: string[]): string =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

export const PROGRAM = join(__dirname, "program");

let count = 0;

/** The things of one stack: their names, and what the program is told to make of them. */
export class Things {
  private readonly number = count++;
  /** Unique on this machine, so that suites can run side by side. */
  readonly prefix = `engine-test-${process.pid}-${this.number}`;
  readonly main = `${this.prefix}-main`;
  private readonly file: string;

  /** `env` is what the program gets. */
  constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.file = join(folder, "containers.json");
    env["CONTAINERS"] = this.file;
    env["DOCKER_BUILDKIT"] = "0";
  }

  wish(more: Record<string, unknown> = {}): void {
    // Jest's workers run such tests at the same time, and their process numbers are close to each other.
    const worker = Number(process.env["JEST_WORKER_ID"] ?? 0) % 5;
    const subnet = `10.213.${50 * worker + ((process.pid + this.number) % 50)}.0/24`;
    writeFileSync(this.file, JSON.stringify({ prefix: this.prefix, subnet, ...more }));
  }

  id(): string {
    return docker("inspect", "--format", "{{.Id}}", this.main);
  }

  list(kind: "container" | "network" | "volume"): string[] {
    const [all, name] = kind === "container" ? [["-a"], "{{.Names}}"] : [[], "{{.Name}}"];
    const listed = docker(kind, "ls", ...all, "--filter", `name=${this.prefix}-`, "--format", name);
    return listed.split("\n").filter(Boolean);
  }

  sweep(): void {
    for (const kind of ["container", "network", "volume"] as const) {
      const found = this.list(kind);
      // Debian 12's client knows no `docker network rm -f`.
      if (found.length > 0) docker(kind, "rm", ...(kind === "network" ? [] : ["-f"]), ...found);
    }
    // By name: the image itself may be another test's too.
    const image = `${this.prefix}-image:1`;
    if (docker("image", "ls", "-q", image) !== "") docker("image", "rm", image);
  }
}
