import { PORTS } from "../../config-files/ports";
import type { Bench } from "./bench";
import { PgbenchClient, tps, type Way } from "./pgbench";

const SCALE = 20;
/** With a thousand clients, connecting them is the first part of it. */
const MANY_RUN_SECONDS = 25;
const LATENCY_SECONDS = 5;
const FEW = 16;
const MANY = 1000;

const LEAST_POOLED = 0.45;
const LEAST_MANY = 0.8;

/** What the way through the entry and the pool costs. Both ways have TLS with full verification. */
export async function measureThroughput(bench: Bench): Promise<void> {
  const leader = await bench.settled();
  const client = await PgbenchClient.start(bench, leader);
  const direct: Way = { host: leader, port: PORTS.postgres };
  await client.initialise(direct, SCALE);
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

const compared = (a: number, b: number) => ({ figure: `${tps(a)} / ${tps(b)} tps`, ratio: a / b });
const verdict = (ratio: number, least: number) => ({ goal: `>= ${least}x`, met: ratio >= least });
