import { PORTS } from "../../components/platform/naming";
import { environment } from "../../commands/engine";
import { docker, eventually } from "../support/stack";
import { type Bench, MEMBERS } from "./bench";
import { run } from "./child";

const SCALE = 20;
const RUN_SECONDS = 8;
/** With a thousand clients, connecting them is the first part of it. */
const MANY_RUN_SECONDS = 25;
const LATENCY_SECONDS = 5;
const FEW = 16;
const MANY = 1000;
/** A thread of pgbench looks at all of its clients for each answer: with more of them it would be what is measured. */
const CLIENTS_PER_THREAD = 50;
const LEAST_THREADS = 2;

const LEAST_POOLED = 0.45;
const LEAST_MANY = 0.8;
const WRITER = "app_readwrite";
const CA_FILE = "/tmp/ca.crt";

/** How a client speaks: statements that the server knows already, or text that it parses each time. */
type Protocol = "prepared" | "simple";

/** Where a client connects: the leader itself, or the entry, behind which are a pool and the leader. */
interface Way {
  readonly host: string;
  readonly port: number;
}

interface Result {
  readonly transactionsPerSecond: number;
  readonly latencyMs: number;
}

/** What the way through the entry and the pool costs. Both ways have TLS with full verification. */
export async function measureThroughput(bench: Bench): Promise<void> {
  const leader = await bench.settled();
  const client = await Client.start(bench, leader);
  const direct: Way = { host: leader, port: PORTS.postgres };
  const pooled: Way = { host: bench.entries()[0] ?? "", port: PORTS.write };

  for (const protocol of ["prepared", "simple"] as const) {
    await bench.measure(`select-only, ${FEW} clients, ${protocol}: pooled / direct`, async () => {
      const [through, straight] = await client.alternate(
        { way: pooled, clients: FEW, protocol },
        { way: direct, clients: FEW, protocol },
      );
      return { ...compared(through, straight), ...verdict(through / straight, LEAST_POOLED) };
    });
  }
  await bench.measure(`select-only through the pool, prepared: ${MANY} / ${FEW} clients`, async () => {
    const [many, few] = await client.alternate(
      { way: pooled, clients: MANY, protocol: "prepared", durationSeconds: MANY_RUN_SECONDS },
      { way: pooled, clients: FEW, protocol: "prepared" },
    );
    return { ...compared(many, few), ...verdict(many / few, LEAST_MANY) };
  });
  await bench.measure("latency of one client, prepared: pooled / direct", async () => {
    const load = { clients: 1, protocol: "prepared", durationSeconds: LATENCY_SECONDS } as const;
    const through = (await client.pgbench({ ...load, way: pooled })).latencyMs;
    const straight = (await client.pgbench({ ...load, way: direct })).latencyMs;
    return {
      figure: `${through.toFixed(3)} / ${straight.toFixed(3)} ms`,
      ratio: through / straight,
    };
  });
}

const tps = (value: number): string => Math.round(value).toLocaleString("en");
const compared = (a: number, b: number) => ({ figure: `${tps(a)} / ${tps(b)} tps`, ratio: a / b });
const verdict = (ratio: number, least: number) => ({ goal: `>= ${least}x`, met: ratio >= least });

interface Load {
  readonly way: Way;
  readonly clients: number;
  readonly protocol: Protocol;
  readonly durationSeconds?: number;
}

/** pgbench in a container of its own on the stack's network, as an application would be. */
class Client {
  private constructor(
    private readonly bench: Bench,
    private readonly container: string,
    private readonly database: string,
    private readonly passwords: Readonly<Record<string, string>>,
  ) {}

  static async start(bench: Bench, leader: string): Promise<Client> {
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
    const client = new Client(bench, container, database, passwords);
    bench.say(`pgbench: initialising scale ${SCALE}`);
    const initialise = ["--initialize", "--quiet", "--scale", `${SCALE}`];
    await client.program("dpg_cluster", { host: leader, port: PORTS.postgres }, initialise);
    await client.quiet(leader);
    return client;
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

  async pgbench({ way, clients, protocol, durationSeconds = RUN_SECONDS }: Load): Promise<Result> {
    const threads = Math.min(clients, Math.max(LEAST_THREADS, Math.ceil(clients / CLIENTS_PER_THREAD)));
    const output = await this.program(WRITER, way, [
      ...["--no-vacuum", "--select-only", "--protocol", protocol, "--time", `${durationSeconds}`],
      ...["--client", `${clients}`, "--jobs", `${threads}`],
    ]);
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
  private async program(role: string, { host, port }: Way, options: readonly string[]): Promise<string> {
    const env = { ...environment(), PGPASSWORD: this.passwords[role] ?? "" };
    const where = ["--host", host, "--port", `${port}`, "--username", role];
    const command = ["pgbench", ...where, ...options, this.database];
    return (await run("docker", ["exec", "--env", "PGPASSWORD", this.container, ...command], { env })).output;
  }
}
