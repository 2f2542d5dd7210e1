import { renewalStatement, renewalText } from "../components/resources/sql/renew-pools";
import type { Call } from "./call";
import { isRunning, openCluster } from "./cluster";
import { CommandError, EXIT } from "./command-error";
import { chosenGroup, leader } from "./groups";
import { psqlIn } from "./inside";
import { make } from "./stack";

const POOLS = ["pool-write", "pool-read"];
/** Longer than the lag of any replica that serves reads. */
const DEADLINE_SECONDS = 60;

/**
 * Makes every pool renew its server connections, each after its current transaction. Needed after privileges or settings of roles were
 * changed by hand. Waits until every pool has started.
 */
export async function reconnect(call: Call): Promise<number> {
  const { stack } = call;
  const cluster = await openCluster(stack);
  const running = (await cluster.members()).filter(
    (member) => POOLS.includes(member.workload) && isRunning(member),
  );
  if (running.length === 0)
    throw new CommandError(
      `no pool of the stack ${stack.name} is running: start it with ${make(stack, "up")}`,
    );
  const text = renewalText("make reconnect", new Date());
  const from = await leader(cluster, await chosenGroup(cluster, { variable: () => undefined }));
  await cluster.execute(from, psqlIn("postgres", "--quiet", "--command", renewalStatement(text)));
  const deadline = Date.now() + DEADLINE_SECONDS * 1000;
  for (const { name } of running) {
    while (!(await cluster.execute(name, ["cat", "/run/pgbouncer/renewed"])).includes(text)) {
      if (Date.now() > deadline)
        throw new CommandError(
          `${name} has not received the request within ${DEADLINE_SECONDS} s: ${make(stack, "doctor")} shows what is wrong. Its connections are renewed within five minutes in any case`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    console.log(`${name} renews its server connections, each after its current transaction`);
  }
  return EXIT.done;
}
