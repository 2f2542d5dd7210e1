import { renewalStatement, renewalText } from "../components/resources/sql/renew-pools";
import type { Call } from "./call";
import { isRunning, openCluster } from "./cluster";
import { CommandError, EXIT } from "./command-error";
import { chosenGroup, leader } from "./groups";
import { psqlIn } from "./inside";
import { make } from "./stack";

const POOLS = ["pool-write", "pool-read"];
/** Longer than a replica that still serves reads may be behind. */
const DEADLINE_SECONDS = 60;

/**
 * Has every pool make its connections to the database anew, each when its transaction has ended: after rights or settings of roles were changed
 * by hand. Waits until every pool has begun to.
 */
export async function reconnect(call: Call): Promise<number> {
  const { stack } = call;
  const cluster = await openCluster(stack);
  const running = (await cluster.members()).filter(
    (member) => POOLS.includes(member.workload) && isRunning(member),
  );
  if (running.length === 0)
    throw new CommandError(
      `no pool of the stack ${stack.name} is running: bring it up with ${make(stack, "up")}`,
    );
  const text = renewalText("make reconnect", new Date());
  const from = await leader(cluster, await chosenGroup(cluster, { variable: () => undefined }));
  await cluster.execute(from, psqlIn("postgres", "--quiet", "--command", renewalStatement(text)));
  const deadline = Date.now() + DEADLINE_SECONDS * 1000;
  for (const { name } of running) {
    while (!(await cluster.execute(name, ["cat", "/run/pgbouncer/renewed"])).includes(text)) {
      if (Date.now() > deadline)
        throw new CommandError(
          `${name} has not heard of it within ${DEADLINE_SECONDS} s: ${make(stack, "doctor")} says what is wrong; its connections are five minutes old at most`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    console.log(`${name} makes its connections anew, each when its transaction has ended`);
  }
  return EXIT.done;
}
