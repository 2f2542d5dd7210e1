import { environment } from "../../commands/programs";
import { docker, eventually } from "../support/stack";
import { type Bench, MEMBERS } from "./bench";
import { run } from "./child";

const RUN_SECONDS = 8;
/** A thread of pgbench looks at all of its clients for each answer: with more of them it would be what is measured. */
const CLIENTS_PER_THREAD = 50;
const LEAST_THREADS = 2;
const CA_FILE = "/tmp/ca.crt";

/** How a client speaks: statements that the server knows already, or text that it parses each time. */
export type Protocol = "prepared" | "simple";

/** Where a client connects: the leader itself, or the entry, behind which are a pool and the leader. */
export interface Way {
  readonly host: string;
  readonly port: number;
}

export interface Result {
  readonly transactionsPerSecond: number;
  readonly latencyMs: number;
}

export interface Load {
  readonly way: Way;
  readonly clients: number;
  readonly protocol: Protocol;
  readonly durationSeconds?: number;
  /** A script of pgbench's. Default: its own select-only transaction. */
  readonly script?: string;
}

export const tps = (value: number): string => Math.round(value).toLocaleString("en");

/** pgbench in a container of its own on the stack's network, as an application would be. */
export class PgbenchClient {
  private constructor(
    private readonly bench: Bench,
    private readonly container: string,
    private readonly database: string,
    private readonly passwords: Readonly<Record<string, string>>,
  ) {}

  static async start(bench: Bench, leader: string): Promise<PgbenchClient> {
    const { stack } = bench;
    const container = `${stack.cluster}-client`;
    const image = await docker("inspect", "--format", "{{.Config.Image}}", leader);
    const { database, passwords, certificateAuthority } = await stack.outputs();
    const settings = ["PGSSLMODE=verify-full", `PGSSLROOTCERT=${CA_FILE}`].flatMap((env) => ["--env", env]);
    await run("docker", [
      ...["run", "--detach", "--name", container, "--network", stack.cluster, ...settings],
      // Each client of pgbench is a file, and so is its end in a thread.
      ...["--ulimit", "nofile=8192:8192", "--entrypoint", "sleep", image, "infinity"],
    ]);
    await run("docker", ["exec", "--interactive", container, "sh", "-c", `cat > ${CA_FILE}`], {
      input: certificateAuthority,
    });
    return new PgbenchClient(bench, container, database, passwords);
  }

  /** pgbench's own tables, made on the leader. */
  async initialise(leader: Way, scale: number): Promise<void> {
    this.bench.say(`pgbench: initialising scale ${scale}`);
    await this.program("dpg_cluster", leader, ["--initialize", "--quiet", "--scale", `${scale}`]);
    await this.quiet(leader.host);
  }

  /** What writing the data leaves behind (checkpoint, replay) is over before anything is measured. */
  private async quiet(leader: string): Promise<void> {
    const sql = (text: string): Promise<string> =>
      docker("exec", leader, "psql", "--host", "/run/postgresql", "--dbname", "postgres", "-qAtXc", text);
    await sql("CHECKPOINT");
    await eventually("every replica has replayed the data", 120_000, async () => {
      const caughtUp = await sql(
        "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_flush_lsn()",
      );
      if (caughtUp !== String(MEMBERS - 1)) throw new Error(`${caughtUp} of ${MEMBERS - 1}`);
    });
  }

  /** Best of two runs of each, in turn: a machine that is busy for a moment slows down either. */
  async alternate(a: Load, b: Load): Promise<[number, number]> {
    const best: [number, number] = [0, 0];
    for (let i = 0; i < 2; i++) {
      best[0] = Math.max(best[0], (await this.pgbench(a)).transactionsPerSecond);
      best[1] = Math.max(best[1], (await this.pgbench(b)).transactionsPerSecond);
    }
    return best;
  }

  async pgbench({ way, clients, protocol, durationSeconds = RUN_SECONDS, script }: Load): Promise<Result> {
    const threads = Math.min(clients, Math.max(LEAST_THREADS, Math.ceil(clients / CLIENTS_PER_THREAD)));
    const options = [
      ...["--no-vacuum", "--protocol", protocol, "--time", `${durationSeconds}`],
      ...["--client", `${clients}`, "--jobs", `${threads}`],
      ...(script === undefined ? ["--select-only"] : ["--file", "-"]),
    ];
    const output = await this.program("app_readwrite", way, options, script);
    const number = (pattern: RegExp): number => {
      const found = pattern.exec(output)?.[1];
      if (found === undefined) throw new Error(`pgbench did not say ${String(pattern)}:\n${output}`);
      return Number(found);
    };
    const result = {
      transactionsPerSecond: number(/^tps = ([0-9.]+) \(without/m),
      latencyMs: number(/^latency average = ([0-9.]+) ms/m),
    };
    const what = `${clients} ${clients === 1 ? "client" : "clients"}, ${protocol}, ${way.host}:${way.port}`;
    this.bench.say(`    ${what}: ${tps(result.transactionsPerSecond)} tps, ${result.latencyMs} ms`);
    return result;
  }

  /** The password goes through the environment, of which arguments have only the name. */
  private async program(
    role: string,
    { host, port }: Way,
    options: readonly string[],
    input?: string,
  ): Promise<string> {
    const env = { ...environment(), PGPASSWORD: this.passwords[role] ?? "" };
    const where = ["--host", host, "--port", `${port}`, "--username", role];
    const command = ["pgbench", ...where, ...options, this.database];
    const arguments_ = ["exec", "--interactive", "--env", "PGPASSWORD", this.container, ...command];
    return (await run("docker", arguments_, { env, input })).output;
  }
}
