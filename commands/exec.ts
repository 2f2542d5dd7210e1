import type { Call } from "./call";
import { isRunning, openCluster } from "./cluster";
import { CommandError, UsageError } from "./command-error";
import { make } from "./stack";

/** Runs RUN in MEMBER; without RUN, a shell at this terminal. Ends as what it ran. */
export async function exec(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const wanted = call.variable("MEMBER");
  const all = await cluster.members();
  const member = all.find(({ name }) => name === wanted);
  if (member === undefined)
    throw new UsageError(
      `MEMBER is one of ${all.map(({ name }) => name).join(", ") || "none: nothing runs"}`,
    );
  if (!isRunning(member))
    throw new CommandError(
      `${member.name} does not run (${member.state}): ${make(call.stack, "doctor")} says what brings it back`,
    );
  const run = call.variable("RUN");
  return cluster.attach(member.name, run === undefined ? ["bash"] : ["sh", "-c", run]);
}
