import type { Client } from "pg";
import { eventually } from "./stack";
import { connect, query, type WriterTarget } from "./writer";

const ACCOUNTS = 200;
const BALANCE = 1000;

export interface BankReport {
  readonly transfers: number;
  readonly failed: number;
  readonly longestMs: number;
  /** When the longest transfer was acknowledged, to be looked up in the members' logs. */
  readonly longestEnded: Date;
  readonly errors: readonly string[];
}

/** Transfers between accounts on different shards: transactions that must commit everywhere or nowhere, so that the sum stays. */
export class Bank {
  private stopped = false;
  private running: Promise<void> | undefined;
  private transfers = 0;
  private failed = 0;
  private longestMs = 0;
  private longestEnded = new Date();
  private readonly errors = new Set<string>();

  constructor(private readonly target: WriterTarget) {}

  /** Makes the table of accounts, as its owner. */
  static async open(owner: WriterTarget): Promise<void> {
    await query(owner, "CREATE TABLE IF NOT EXISTS accounts (id int PRIMARY KEY, balance int NOT NULL)");
    const [made] = await query<{ distributed: boolean }>(
      owner,
      "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'accounts'::regclass) AS distributed",
    );
    if (made?.distributed !== true) await query(owner, "SELECT create_distributed_table('accounts', 'id')");
    await query(
      owner,
      `INSERT INTO accounts SELECT i, ${BALANCE} FROM generate_series(1, ${ACCOUNTS}) i ON CONFLICT DO NOTHING`,
    );
  }

  start(): void {
    this.running = this.work();
  }

  /** Resolves when `more` further transfers have been committed. */
  async awaitTransfers(more: number, deadlineMs = 120_000): Promise<void> {
    const wanted = this.transfers + more;
    const deadline = Date.now() + deadlineMs;
    while (this.transfers < wanted) {
      if (Date.now() > deadline)
        throw new Error(`no ${more} transfers in ${deadlineMs} ms: ${[...this.errors].join("; ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async finish(): Promise<BankReport> {
    this.stopped = true;
    await this.running;
    return {
      transfers: this.transfers,
      failed: this.failed,
      longestMs: Math.round(this.longestMs),
      longestEnded: this.longestEnded,
      errors: [...this.errors],
    };
  }

  /**
   * Resolves when no money is missing and none was made, with the ms that this took; right only when nobody transfers, because a read of
   * all shards is no snapshot. A transfer is acknowledged as soon as the coordinator has committed it; where a worker failed at that
   * moment, its half stays prepared until the next recovery (`citus.recover_2pc_interval`). Nothing else changes the sum of a bank at
   * rest, so that a transfer that was really torn stays so until the deadline.
   */
  static async awaitWhole(target: WriterTarget, deadlineMs = 60_000): Promise<number> {
    const started = performance.now();
    await eventually("every transfer is whole", deadlineMs, async () => {
      const [row] = await query<{ sum: string }>(target, "SELECT sum(balance)::text AS sum FROM accounts");
      const surplus = Number(row?.sum) - ACCOUNTS * BALANCE;
      if (surplus !== 0) throw new Error(`the accounts hold ${surplus} too much`);
    });
    return Math.round(performance.now() - started);
  }

  private async work(): Promise<void> {
    let client: Client | undefined;
    for (let i = 0; !this.stopped; i++) {
      // Always the lower number first: two clients could not lock each other out.
      const from = (i * 7) % (ACCOUNTS - 1);
      const to = from + 1 + ((i * 13) % (ACCOUNTS - 1 - from));
      const started = performance.now();
      try {
        client ??= await connect(this.target, this.target.addresses[i % this.target.addresses.length] ?? "");
        await client.query("BEGIN");
        await client.query("UPDATE accounts SET balance = balance - 1 WHERE id = $1", [from + 1]);
        await client.query("UPDATE accounts SET balance = balance + 1 WHERE id = $1", [to + 1]);
        await client.query("COMMIT");
        this.transfers++;
        const took = performance.now() - started;
        if (took > this.longestMs) [this.longestMs, this.longestEnded] = [took, new Date()];
      } catch (error) {
        this.failed++;
        this.errors.add(error instanceof Error ? error.message : String(error));
        void client?.end().catch(() => {});
        client = undefined;
      }
    }
    await client?.end().catch(() => {});
  }
}
