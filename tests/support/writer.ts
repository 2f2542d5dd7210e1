import { Client } from "pg";

/** Where and as whom a test client writes. */
export interface WriterTarget {
  /** `host:port` of each entry, tried in turn. */
  readonly addresses: readonly string[];
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ca: string;
  /** The name that the server's certificate must bear, where it is not that of the address. */
  readonly serverName?: string;
}

/** What a run of the writer saw. */
export interface WriterReport {
  readonly acknowledged: number;
  /** Writes that ended with an error or a timeout: they may be there or not. */
  readonly unknown: number;
  /** Acknowledged writes that are not in the table at the end. */
  readonly lost: readonly number[];
  /** Longest time between two acknowledged writes, in ms. */
  readonly longestGapMs: number;
  /** When the first write after it was acknowledged, to be looked up in the members' logs. */
  readonly longestGapEnded: Date;
  readonly errors: readonly string[];
}

const INTERVAL_MS = 5;
/** A client of an application is as patient; less would turn a planned wait into a failure of its own making. */
const TIMEOUT_MS = 10_000;

/** A connection with full verification. The caller ends it. */
export async function connect(target: WriterTarget, address: string): Promise<Client> {
  const [host = "", port = ""] = address.split(":");
  const client = new Client({
    host,
    port: Number(port),
    database: target.database,
    user: target.user,
    password: target.password,
    ssl: { ca: target.ca, ...(target.serverName !== undefined && { servername: target.serverName }) },
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // A connection that breaks between two queries is no error of the test; the next query reports it.
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Runs one statement through the first entry that answers, with retries until `deadlineMs` have passed. */
export async function query<Row extends object>(
  target: WriterTarget,
  sql: string,
  values: readonly unknown[] = [],
  deadlineMs = 60_000,
): Promise<Row[]> {
  const deadline = Date.now() + deadlineMs;
  let last: unknown;
  for (let attempt = 0; Date.now() < deadline; attempt++) {
    let client: Client | undefined;
    try {
      client = await connect(target, target.addresses[attempt % target.addresses.length] ?? "");
      return (await client.query(sql, [...values])).rows as Row[];
    } catch (error) {
      last = error;
      // Refused connections fail at once; do not spin while nobody listens.
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await client?.end().catch(() => {});
    }
  }
  throw new Error(`no answer to "${sql}" within ${deadlineMs} ms; last: ${String(last)}`);
}

export interface WriterOptions {
  /**
   * Age at which a connection is replaced between two writes, as applications' pools do it, in ms. Which entry refuses the new one does not
   * matter as long as another takes it: nothing was on its way. Default: never.
   */
  readonly maxLifetimeMs?: number;
}

/** One insert every 5 ms through the write endpoint, by one client that keeps count of what was acknowledged. */
export class Writer {
  private readonly acknowledged: number[] = [];
  private readonly times: number[] = [];
  private readonly errors: string[] = [];
  private unknown = 0;
  private stopped = false;
  private running: Promise<void> | undefined;

  /** `run` tells apart the rows of several runs in the table `writes`. */
  constructor(
    private readonly target: WriterTarget,
    private readonly run: string,
    private readonly options: WriterOptions = {},
  ) {}

  /** Starts, and resolves when the first writes have been acknowledged. */
  async start(): Promise<void> {
    this.running = this.write();
    await this.awaitAcknowledged(20);
  }

  /** Resolves when `more` further writes have been acknowledged; throws after `deadlineMs`. */
  async awaitAcknowledged(more: number, deadlineMs = 120_000): Promise<void> {
    const wanted = this.acknowledged.length + more;
    const deadline = Date.now() + deadlineMs;
    while (this.acknowledged.length < wanted) {
      if (Date.now() > deadline) {
        throw new Error(
          `${wanted - this.acknowledged.length} of ${more} writes were not acknowledged in ${deadlineMs} ms; last errors: ${this.errors.slice(-3).join("; ")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  /**
   * Writes while `work` goes on, and a little longer where it says so itself. When the work fails, its error comes first: that the writes cannot
   * be looked up then is no wonder.
   */
  async during(work: () => Promise<unknown>): Promise<WriterReport> {
    try {
      await this.start();
      await work();
    } catch (error) {
      const seen = await this.finish().then(
        ({ acknowledged, unknown, lost, errors }) =>
          `${acknowledged} writes acknowledged, ${unknown} unknown, ${lost.length} lost; ${errors.slice(-3).join("; ")}`,
        String,
      );
      throw new Error(`${String(error)}\nthe writer meanwhile: ${seen}`, { cause: error });
    }
    return this.finish();
  }

  /** Stops and looks up every acknowledged write. */
  async finish(): Promise<WriterReport> {
    this.stopped = true;
    await this.running;
    const rows = await query<{ id: string }>(this.target, "SELECT id FROM writes WHERE run = $1", [this.run]);
    const found = new Set(rows.map((row) => Number(row.id)));
    const gaps = this.times.slice(1).map((time, i) => time - (this.times[i] ?? time));
    const longestGap = Math.max(0, ...gaps);
    const ended = this.times[gaps.indexOf(longestGap) + 1] ?? 0;
    return {
      acknowledged: this.acknowledged.length,
      unknown: this.unknown,
      lost: this.acknowledged.filter((id) => !found.has(id)),
      longestGapMs: Math.round(longestGap),
      longestGapEnded: new Date(performance.timeOrigin + ended),
      errors: [...new Set(this.errors)],
    };
  }

  private readonly address = (entry: number): string =>
    this.target.addresses[entry % this.target.addresses.length] ?? "";

  /** Through the first entry that answers, each asked once. */
  private async connectAnywhere(first: number): Promise<Client> {
    const failures: unknown[] = [];
    for (let i = 0; i < this.target.addresses.length; i++) {
      try {
        return await connect(this.target, this.address(first + i));
      } catch (error) {
        failures.push(error);
      }
    }
    throw new Error(`no entry takes a new connection: ${failures.map(String).join("; ")}`);
  }

  private async write(): Promise<void> {
    const { maxLifetimeMs = Infinity } = this.options;
    let client: Client | undefined;
    let connected = 0;
    let entry = 0;
    for (let id = 0; !this.stopped; id++) {
      const started = performance.now();
      try {
        if (client && performance.now() - connected > maxLifetimeMs) {
          // Not awaited: whoever is at the other end may never answer again.
          void client.end().catch(() => {});
          client = await this.connectAnywhere(entry);
          connected = performance.now();
        }
        if (!client) {
          client = await connect(this.target, this.address(entry));
          connected = performance.now();
        }
        await client.query({
          name: "write",
          text: "INSERT INTO writes (run, id) VALUES ($1, $2)",
          values: [this.run, id],
        });
        this.acknowledged.push(id);
        this.times.push(performance.now());
      } catch (error) {
        // Not even a failed connection proves anything about the write before it, so every failed attempt counts as unknown.
        this.unknown++;
        this.errors.push(error instanceof Error ? error.message : String(error));
        void client?.end().catch(() => {});
        client = undefined;
        entry++;
      }
      const rest = INTERVAL_MS - (performance.now() - started);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
    await client?.end().catch(() => {});
  }
}
