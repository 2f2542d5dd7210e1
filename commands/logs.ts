import { messageOf } from "../components/dynamic/reason";
import { type Call, numberOf } from "./call";
import { openCluster } from "./cluster";
import { CommandError, EXIT } from "./command-error";
import { make } from "./stack";

/**
 * Follows the logs of all members, each line with its member's name. WORKLOAD=patroni or MEMBER=<name> selects members; with an empty
 * FOLLOW= it ends after the existing lines. Exit code 1 if a log cannot be read.
 */
export async function logs(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const only = call.variable("MEMBER");
  const all = (await cluster.members(call.variable("WORKLOAD"))).filter(({ name, state }) =>
    only === undefined ? state !== "missing" : name === only,
  );
  if (all.length === 0)
    throw new CommandError(
      `the stack ${call.stack.name} has no matching members: ${make(call.stack, "status")} lists all`,
    );
  // `variable` would treat an empty `FOLLOW=` as not given.
  const request = { tail: numberOf(call, "TAIL", 20), follow: process.env["FOLLOW"] !== "" };
  const read = await Promise.all(
    all.map(({ name }) =>
      cluster
        .logs(name, request, (line) => console.log(`${name} | ${line}`))
        .then(
          () => true,
          (error: unknown) => {
            console.error(`${name}: ${messageOf(error)}`);
            return false;
          },
        ),
    ),
  );
  return read.every(Boolean) ? EXIT.done : EXIT.wrong;
}
