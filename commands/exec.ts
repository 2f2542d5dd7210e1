import type { Call } from "./call";
import { isRunning, openCluster } from "./cluster";
import { CommandError, UsageError } from "./command-error";
import { make } from "./stack";

/** Runs RUN in MEMBER; without RUN, a shell at this terminal. Returns its exit code. */
export async function exec(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const wanted = call.variable("MEMBER");
  const all = await cluster.members();
  const member = all.find(({ name }) => name === wanted);
  if (member === undefined)
    throw new UsageError(
      all.length === 0
        ? `the stack ${call.stack.name} has no members: start it with ${make(call.stack, "up")}`
        : `MEMBER is ${JSON.stringify(wanted ?? "")}: it must be one of ${all.map(({ name }) => name).join(", ")}`,
    );
  if (!isRunning(member))
    throw new CommandError(
      `${member.name} is not running (${member.state}): ${make(call.stack, "doctor")} shows how to bring it back`,
    );
  const run = call.variable("RUN");
  return cluster.attach(member.name, run === undefined ? ["bash"] : ["sh", "-c", run]);
}
