import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Figures } from "./trial";

export interface Result {
  readonly seconds: number;
  readonly figures: Figures;
  /** What did not hold; a result without it is one that passed. */
  readonly failure?: string;
}

interface Stored {
  readonly seed: number;
  readonly version: string;
  readonly results: Record<string, Result>;
}

/** What has ended of a trial, kept in a file after every round. */
export class RunRecord {
  private constructor(
    private readonly file: string,
    private readonly stored: Stored,
  ) {}

  /** One that nothing has ended of; the one before is forgotten. */
  static begin(file: string, seed: number, version: string): RunRecord {
    const record = new RunRecord(file, { seed, version, results: {} });
    record.write();
    return record;
  }

  /** What the file knows, or undefined. A file that cannot be read is an error: hours may be in it. */
  static read(file: string): RunRecord | undefined {
    if (!fs.existsSync(file)) return undefined;
    return new RunRecord(file, JSON.parse(fs.readFileSync(file, "utf8")) as Stored);
  }

  get seed(): number {
    return this.stored.seed;
  }

  /** Of the code that the results are of. */
  get version(): string {
    return this.stored.version;
  }

  of(round: string): Result | undefined {
    return this.stored.results[round];
  }

  keep(round: string, result: Result): void {
    this.stored.results[round] = result;
    this.write();
  }

  private write(): void {
    fs.mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
    // Renamed into its place: who is killed meanwhile leaves the old one.
    fs.writeFileSync(`${this.file}.new`, JSON.stringify(this.stored, undefined, 1), { mode: 0o600 });
    fs.renameSync(`${this.file}.new`, this.file);
  }
}

/** What decides what a trial tries. Words about it do not. */
const TRIED = ["commands", "components", "config-files", "package-lock.json", "plugins", "stacks"];
const TRIERS = ["tests/long", "tests/support"];

/** Names the code as it stands, with what is not committed: a result of other code says nothing about this one. */
export function versionOf(project: string): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: project, encoding: "utf8", maxBuffer: 1 << 28 });
  const paths = ["--", ...TRIED, ...TRIERS, ":!*.md"];
  const hash = createHash("sha256").update(git("ls-files", "--stage", ...paths));
  hash.update(git("diff", ...paths));
  for (const file of git("ls-files", "--others", "--exclude-standard", "-z", ...paths).split("\0"))
    if (file !== "") hash.update(file).update(fs.readFileSync(path.join(project, file)));
  return hash.digest("hex").slice(0, 12);
}
