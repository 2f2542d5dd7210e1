import { randomUUID } from "node:crypto";
import { type Call, printJson } from "./call";
import { type Cluster, openCluster } from "./cluster";
import { CommandError, EXIT } from "./command-error";
import { chosenGroup, leader } from "./groups";
import { queryIn } from "./inside";
import { loggedStatements } from "./slow-queries";
import { make } from "./stack";

/** How much longer than log_min_duration_statement the statement takes. */
const LONGER_MS = 200;
/** How long the log entry may take to appear. */
const LOG_DEADLINE_SECONDS = 30;
/** The longest statement to run for this test. */
const LONGEST_SECONDS = 300;

/** How long a statement must take to be logged; undefined if statements are not logged by duration. */
export const slowSeconds = (minimumMilliseconds: number): number | undefined =>
  minimumMilliseconds < 0 ? undefined : (minimumMilliseconds + LONGER_MS) / 1000;

/** The statement, with a mark to find it in the log. */
export const slowStatement = (mark: string, seconds: number): string =>
  `SELECT pg_sleep(${seconds}), '${mark}' AS test_slow_query`;

/** Runs a deliberately slow statement on the leader of GROUP and finds it in that member's log and in pg_stat_statements. */
export async function testSlowQuery(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const from = await leader(cluster, await chosenGroup(cluster, call));
  const ask = (sql: string, seconds?: number): Promise<string> =>
    cluster.execute(from, queryIn(cluster.database, sql), seconds);
  const setting = "log_min_duration_statement";
  const minimum = Number(await ask(`SELECT setting FROM pg_settings WHERE name = '${setting}'`));
  const seconds = slowSeconds(minimum);
  if (seconds === undefined)
    throw new CommandError(
      `${setting} is -1, so slow statements are not logged: set it in patroni.parameters, for example to 100ms`,
    );
  if (seconds > LONGEST_SECONDS)
    throw new CommandError(
      `${setting} is ${minimum} ms: the test statement would take longer than ${LONGEST_SECONDS} s; lower it in patroni.parameters`,
    );
  const mark = randomUUID();
  const calls = async (): Promise<number> =>
    Number(
      await ask(
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE 'SELECT pg\\_sleep(%), % AS test\\_slow\\_query'",
      ),
    );
  const before = await calls();
  if (!call.json) console.log(`${from} runs a statement of ${seconds} s (${setting} is ${minimum} ms)`);
  await ask(slowStatement(mark, seconds), seconds + 30);
  const counted = (await calls()) - before;
  const logged = await findInLog(cluster, from, mark);
  const found = { log: logged !== undefined, statistics: counted > 0 };
  if (call.json) printJson({ member: from, seconds, logged: logged ?? null, ...found });
  else {
    console.log(
      logged === undefined
        ? `its log DOES NOT contain it after ${LOG_DEADLINE_SECONDS} s`
        : `its log contains it: ${logged.toFixed(0)} ms`,
    );
    console.log(
      found.statistics
        ? `pg_stat_statements counts it: ${make(call.stack, "slow-queries")} lists both`
        : "pg_stat_statements DOES NOT count it: is pg_stat_statements.track none?",
    );
  }
  return found.log && found.statistics ? EXIT.done : EXIT.wrong;
}

/** The statement's duration in the member's log; undefined if it does not appear in time. */
async function findInLog(cluster: Cluster, member: string, mark: string): Promise<number | undefined> {
  const deadline = Date.now() + LOG_DEADLINE_SECONDS * 1000;
  for (;;) {
    const found = (await loggedStatements(cluster, [member])).find(({ statement }) =>
      statement.includes(mark),
    );
    if (found !== undefined || Date.now() > deadline) return found?.milliseconds;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
