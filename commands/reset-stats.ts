import { type Call, printJson } from "./call";
import { openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { confirmed } from "./confirm";
import { chosenGroup, leader } from "./groups";
import { queryIn } from "./inside";
import { make } from "./stack";

/** ANALYZE takes long on a large database. */
const ANALYZE_SECONDS = 3600;

/**
 * Resets the counters of the database's tables and functions, of the whole server (WAL, checkpoints, I/O), and of statements. ANALYZE
 * restores the estimates that autovacuum takes from the first: https://www.postgresql.org/docs/17/monitoring-stats.html#MONITORING-STATS-FUNCTIONS
 */
export const RESET = [
  "SELECT pg_stat_reset()",
  "SELECT pg_stat_reset_shared()",
  "SELECT pg_stat_reset_slru()",
  "SELECT pg_stat_statements_reset()",
  "ANALYZE",
] as const;

/** Resets the statistics of the leader of GROUP, for the application's database and the server. Asks for confirmation, or takes CONFIRM. */
export async function resetStats(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const from = await leader(cluster, await chosenGroup(cluster, call));
  if (!call.json)
    console.log(
      `The statistics of ${from} will be reset: those of ${cluster.database}, of the server, and the totals of ${make(call.stack, "slow-queries")}. Data is not affected.`,
    );
  if (!(await confirmed(call, cluster.name, "reset them"))) {
    if (call.json) printJson({ member: from, reset: false });
    else console.log("Nothing was reset.");
    return EXIT.wrong;
  }
  for (const sql of RESET) await cluster.execute(from, queryIn(cluster.database, sql), ANALYZE_SECONDS);
  if (call.json) printJson({ member: from, reset: true });
  else console.log("The statistics were reset, and the tables were analyzed for autovacuum and the planner.");
  return EXIT.done;
}
