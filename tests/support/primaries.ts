import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const INTERVAL_MS = 100;

/** At this moment (ms) more than one member said that it takes writes. */
export interface TwoPrimaries {
  readonly at: number;
  readonly members: readonly string[];
}

/**
 * Asks every member ten times a second, inside its container and over its own socket, whether it takes writes: a member that is cut
 * off from the network still answers. Keeps every moment at which two said yes.
 */
export class PrimarySampler {
  readonly violations: TwoPrimaries[] = [];
  samples = 0;
  private readonly sessions = new Map<string, Session>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly members: readonly string[]) {}

  start(): void {
    this.timer = setInterval(() => void this.sample(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const session of this.sessions.values()) session.close();
  }

  private async sample(): Promise<void> {
    const answers = await Promise.all(
      this.members.map(async (name) => ({ name, ...(await this.session(name).ask()) })),
    );
    this.samples++;
    const writable = answers.filter((answer) => answer.writable);
    // Two answers contradict each other only when they were given at the same time: each lies between question and answer.
    const from = Math.max(...writable.map((answer) => answer.asked));
    const to = Math.min(...writable.map((answer) => answer.answered));
    if (writable.length > 1 && from <= to) {
      this.violations.push({ at: from, members: writable.map((answer) => answer.name) });
    }
  }

  private session(name: string): Session {
    const open = this.sessions.get(name);
    if (open?.usable) return open;
    const session = new Session(name);
    this.sessions.set(name, session);
    return session;
  }
}

interface Answer {
  readonly writable: boolean;
  readonly asked: number;
  readonly answered: number;
}

/** A `psql` that stays open in a member. Ends with its container or its server, and is then replaced. */
class Session {
  usable = true;
  private readonly psql: ChildProcessWithoutNullStreams;
  private waiting: ((line: string | undefined) => void) | undefined;

  constructor(container: string) {
    const command = [
      "psql",
      "--host",
      "/run/postgresql",
      "--dbname",
      "postgres",
      "-qAtX",
      "--set",
      "ON_ERROR_STOP=1",
    ];
    this.psql = spawn("docker", ["exec", "--interactive", container, ...command]);
    createInterface({ input: this.psql.stdout }).on("line", (line) => this.waiting?.(line));
    this.psql.stdin.on("error", () => this.close());
    this.psql.on("error", () => this.close());
    this.psql.on("exit", () => this.close());
  }

  ask(): Promise<Answer> {
    const asked = Date.now();
    // An answer that is still awaited (a stopped process) is asked for once, not once a tick.
    if (!this.usable || this.waiting) return Promise.resolve({ writable: false, asked, answered: asked });
    return new Promise((resolve) => {
      this.waiting = (line) => {
        this.waiting = undefined;
        resolve({ writable: line === "t", asked, answered: Date.now() });
      };
      this.psql.stdin.write("SELECT NOT pg_is_in_recovery();\n");
    });
  }

  close(): void {
    this.usable = false;
    this.waiting?.(undefined);
    this.psql.kill();
  }
}
