import { createInterface } from "node:readline";
import { containers, type Inside, type Talk } from "./inside";

const INTERVAL_MS = 100;

/** At this moment (ms) more than one member said that it takes writes. */
export interface TwoPrimaries {
  readonly at: number;
  readonly members: readonly string[];
}

/**
 * Asks every member ten times a second, inside it and over its own socket, whether it takes writes: a member that is cut
 * off from the network still answers. Keeps every moment at which two said yes.
 */
export class PrimarySampler {
  readonly violations: TwoPrimaries[] = [];
  samples = 0;
  /** Members that said yes at some time. */
  readonly seen = new Set<string>();
  private readonly sessions = new Map<string, Session>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly members: readonly string[],
    private readonly inside: Inside = containers,
  ) {}

  start(): void {
    this.timer = setInterval(() => void this.sample(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    for (const session of this.sessions.values()) session.close();
  }

  /** The moments with two. Who never saw one would not have seen two: that is an error. */
  verdict(): readonly TwoPrimaries[] {
    if (this.seen.size === 0)
      throw new Error(`in ${this.samples} samples no member was seen to take writes: nothing was asked`);
    return this.violations;
  }

  private async sample(): Promise<void> {
    const answers = await Promise.all(
      this.members.map(async (name) => ({ name, ...(await this.session(name).ask()) })),
    );
    this.samples++;
    const writable = answers.filter((answer) => answer.writable);
    for (const { name } of writable) this.seen.add(name);
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
    const session = new Session(name, this.inside);
    this.sessions.set(name, session);
    return session;
  }
}

interface Answer {
  readonly writable: boolean;
  readonly asked: number;
  readonly answered: number;
}

/** Answers each line that it reads with `t` or `f`, also while its server comes and goes. */
const ASKS = `
import sys, psycopg2
session = None
for _ in sys.stdin:
    try:
        if session is None:
            session = psycopg2.connect(host="/run/postgresql", user="postgres", dbname="postgres", connect_timeout=1)
            session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("SELECT NOT pg_is_in_recovery()")
            writable = cursor.fetchone()[0]
    except psycopg2.Error:
        session, writable = None, False
    print("t" if writable else "f", flush=True)
`;

/** A program in a member that asks its server. It ends with its member, and is then replaced. */
class Session {
  usable = true;
  private talk: Talk | undefined;
  private waiting: ((line: string | undefined) => void) | undefined;

  constructor(member: string, inside: Inside) {
    this.open(member, inside).catch(() => this.close());
  }

  private async open(member: string, inside: Inside): Promise<void> {
    const talk = await inside.talk(member, ["/opt/patroni/bin/python", "-c", ASKS]);
    createInterface({ input: talk.output }).on("line", (line) => this.waiting?.(line));
    talk.ended(() => this.close());
    if (this.usable) this.talk = talk;
    else talk.end();
  }

  ask(): Promise<Answer> {
    const asked = Date.now();
    // An answer that is still awaited (a stopped process) is asked for once, not once a tick.
    if (!this.talk || this.waiting) return Promise.resolve({ writable: false, asked, answered: asked });
    const { input } = this.talk;
    return new Promise((resolve) => {
      this.waiting = (line) => {
        this.waiting = undefined;
        resolve({ writable: line === "t", asked, answered: Date.now() });
      };
      input.write("?\n");
    });
  }

  close(): void {
    this.usable = false;
    this.waiting?.(undefined);
    this.talk?.end();
    this.talk = undefined;
  }
}
