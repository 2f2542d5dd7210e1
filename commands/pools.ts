import { renewalStatement, renewalText } from "../components/resources/sql/renew-pools";
import { chosenGroup, CommandError, execute, leader, members, psqlIn } from "./containers";

const POOLS = ["pool-write", "pool-read"];
/** Longer than a replica that still serves reads may be behind. */
const DEADLINE_SECONDS = 60;

/**
 * Has every pool make its connections to the database anew, each when its transaction has ended: after rights or settings of roles were changed
 * by hand. Waits until every pool has begun to.
 */
export async function reconnect(stack: string): Promise<number> {
  const pools = (await Promise.all(POOLS.map((workload) => members(stack, workload)))).flat();
  const running = pools.filter(({ state }) => state === "running");
  if (running.length === 0)
    throw new CommandError(`no pool of the stack ${stack} is running: bring it up with 'make up'`);
  const text = renewalText("make reconnect", new Date());
  const from = await leader(stack, await chosenGroup(stack));
  await execute(from, psqlIn("postgres", "--quiet", "--command", renewalStatement(text)));
  const deadline = Date.now() + DEADLINE_SECONDS * 1000;
  for (const { name } of running) {
    while (!(await execute(name, ["cat", "/run/pgbouncer/renewed"])).includes(text)) {
      if (Date.now() > deadline)
        throw new CommandError(
          `${name} has not heard of it within ${DEADLINE_SECONDS} s: 'make doctor' says what is wrong; its connections are five minutes old at most`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    console.log(`${name} makes its connections anew, each when its transaction has ended`);
  }
  return 0;
}
