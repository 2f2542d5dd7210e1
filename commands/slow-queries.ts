import { type Call, numberOf, printJson } from "./call";
import { type Cluster, isRunning, openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { asGroup, chosenGroup, leader } from "./groups";
import { rowsIn } from "./inside";

/** A statement in a member's log that took longer than log_min_duration_statement. */
export interface LoggedStatement {
  readonly milliseconds: number;
  readonly member: string;
  readonly statement: string;
}

/** Reads a statement's duration from a line of PostgreSQL's log; undefined for other lines. */
export function readDuration(member: string, line: string): LoggedStatement | undefined {
  const [, duration, statement = ""] = /duration: ([0-9.]+) ms\s*(.*)$/.exec(line) ?? [];
  return duration === undefined ? undefined : { milliseconds: Number(duration), member, statement };
}

/** The statements in the logs of these members, slowest first. */
export async function loggedStatements(
  cluster: Cluster,
  members: readonly string[],
): Promise<readonly LoggedStatement[]> {
  const found: LoggedStatement[] = [];
  await Promise.all(
    members.map((name) =>
      cluster.logs(name, { follow: false }, (line) => {
        const statement = readDuration(name, line);
        if (statement !== undefined) found.push(statement);
      }),
    ),
  );
  return found.sort((a, b) => b.milliseconds - a.milliseconds);
}

/** The totals of a statement in pg_stat_statements. */
export interface SummedStatement {
  readonly database: string;
  readonly calls: number;
  readonly totalMilliseconds: number;
  readonly meanMilliseconds: number;
  readonly query: string;
}

/** The statements with the largest total time on a member since its statistics were reset. */
async function summedStatements(
  cluster: Cluster,
  member: string,
  limit: number,
): Promise<readonly SummedStatement[]> {
  const sql = `SELECT datname AS database, calls, round(total_exec_time::numeric, 1) AS "totalMilliseconds", round(mean_exec_time::numeric, 1) AS "meanMilliseconds",
    regexp_replace(query, '\\s+', ' ', 'g') AS query
    FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid
    ORDER BY total_exec_time DESC LIMIT ${limit}`;
  return JSON.parse(await cluster.execute(member, rowsIn(cluster.database, sql))) as SummedStatement[];
}

/** The slowest statements: LIMIT from the members' logs, and LIMIT by total time from pg_stat_statements on the leader of GROUP. */
export async function slowQueries(call: Call): Promise<number> {
  const limit = numberOf(call, "LIMIT", 20);
  const cluster = await openCluster(call.stack);
  const from = await leader(cluster, await chosenGroup(cluster, call));
  const databases = (await cluster.members()).filter(
    (member) => asGroup(member.workload) !== undefined && isRunning(member),
  );
  const [logged, summed] = await Promise.all([
    loggedStatements(
      cluster,
      databases.map(({ name }) => name),
    ),
    summedStatements(cluster, from, limit),
  ]);
  if (call.json) {
    printJson({ logged: logged.slice(0, limit), summed: { member: from, statements: summed } });
    return EXIT.done;
  }
  console.log(
    `Statements that took longer than log_min_duration_statement, slowest first (${Math.min(limit, logged.length)} of ${logged.length}):`,
  );
  for (const { milliseconds, member, statement } of logged.slice(0, limit))
    console.log(`${milliseconds.toFixed(0).padStart(8)} ms  ${member}  ${statement.slice(0, 200)}`);
  console.log(`\nTotals since the statistics were reset (pg_stat_statements, on ${from}):`);
  console.log("   calls    total ms     mean ms  database    statement");
  for (const { database, calls, totalMilliseconds, meanMilliseconds, query } of summed)
    console.log(
      `${String(calls).padStart(8)}  ${totalMilliseconds.toFixed(0).padStart(10)}  ${meanMilliseconds.toFixed(1).padStart(10)}  ${database.padEnd(10)}  ${query.slice(0, 100)}`,
    );
  return EXIT.done;
}
