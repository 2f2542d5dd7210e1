import { restartAll } from "../components/resources/patroni/restart";
import { switchover as handOver } from "../components/resources/patroni/switchover";
import { type Call, printJson } from "./call";
import { openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { chosenGroup, groups } from "./groups";
import { withGroup } from "./patroni";

/** How long a member may take to recover, and a group to elect a leader, in seconds. */
const PATIENCE_SECONDS = 120;

/** Switches the leader of GROUP over, to TO if given. */
export async function switchover(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const candidate = call.variable("TO");
  const done = await withGroup(cluster, await chosenGroup(cluster, call), (rest) =>
    handOver(rest, { candidate, deadlineSeconds: PATIENCE_SECONDS }),
  );
  if (call.json) printJson({ from: done.from, to: done.to });
  else console.log(`${done.to} is the leader now, instead of ${done.from}`);
  return EXIT.done;
}

/** Restarts PostgreSQL in every member of GROUP, or of every group: replicas first, the leader last, by a switchover. */
export async function restart(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const chosen = call.variable("GROUP") ? [await chosenGroup(cluster, call)] : await groups(cluster);
  for (const group of chosen)
    await withGroup(cluster, group, (rest) => restartAll(rest, { restartSeconds: PATIENCE_SECONDS }));
  return EXIT.done;
}
