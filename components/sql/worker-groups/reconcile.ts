import { waitUntil } from "../../dynamic/wait-until";
import type { Session } from "../session";
import type { GroupSpec, JobState, Move, NodeRow, ShardsRow } from "./plan";
import { describeMoves, describeProgress, isUnderWay, leavingGroups, markSteps, missingOf } from "./plan";
import {
  readHealthStatement,
  readJobStatement,
  readNodesStatement,
  readPlanStatement,
  readShardsStatement,
  setShardsStatement,
  startRebalanceStatement,
} from "./statements";

/** Runs `use` in a session on the coordinators' leader; again, when the connection is lost. */
export type OnCoordinator = <T>(use: (session: Session) => Promise<T>) => Promise<T>;

export const readNodes = (session: Session): Promise<NodeRow[]> =>
  session.query<NodeRow>(readNodesStatement());
export const readShards = (session: Session): Promise<ShardsRow[]> =>
  session.query<ShardsRow>(readShardsStatement());
export const readMoves = (session: Session, drainOnly: boolean): Promise<Move[]> =>
  session.query<Move>(readPlanStatement(), [drainOnly]);

async function readJob(
  session: Session,
): Promise<(JobState & { readonly problems: readonly string[] }) | undefined> {
  interface Row {
    readonly job: string;
    readonly state: string;
    readonly counts: Record<string, number> | null;
    readonly tasks: readonly { readonly state?: string; readonly message?: string }[] | null;
  }
  const [row] = await session.query<Row>(readJobStatement());
  if (row === undefined) return undefined;
  const problems = (row.tasks ?? []).flatMap(({ message }) => (message ? [message.trim()] : []));
  return { job: row.job, state: row.state, counts: row.counts ?? {}, problems };
}

/** Waits until every declared group is registered as declared. Patroni registers; who else did would fight with it. */
export async function awaitRegistered(
  on: OnCoordinator,
  groups: readonly GroupSpec[],
  deadlineSeconds: number,
): Promise<void> {
  await waitUntil({ what: "Patroni has registered the worker groups", deadlineSeconds }, async () => {
    const nodes = await on(readNodes);
    const missing = groups.flatMap((group) => missingOf(group, nodes));
    return missing.length === 0
      ? { done: true as const, value: undefined }
      : { done: false as const, why: missing.join("; ") };
  });
}

/** Waits until every node reaches every other one. */
export async function awaitHealthy(on: OnCoordinator, deadlineSeconds: number): Promise<void> {
  await waitUntil({ what: "every node reaches every other one", deadlineSeconds }, async () => {
    const broken = await on((session) => session.query<{ from: string; to: string }>(readHealthStatement()));
    return broken.length === 0
      ? { done: true as const, value: undefined }
      : {
          done: false as const,
          why: broken.map(({ from, to }) => `${from} does not reach ${to}`).join("; "),
        };
  });
}

/** Says on which groups shards may lie: all that are declared, and none that leaves. */
export async function mark(on: OnCoordinator, groups: readonly GroupSpec[]): Promise<void> {
  await on(async (session) => {
    for (const { host, port, shards } of markSteps(groups, await readNodes(session))) {
      console.log(shards ? `shards may lie on ${host}` : `no shard shall lie on ${host} any more`);
      await session.query(setShardsStatement(), [host, port, shards]);
    }
  });
}

/**
 * Moves shards in the background until nothing is left to move. A job that already runs is waited for, so an interrupted run goes on
 * where it was.
 * @param drainOnly only away from groups that leave, instead of spreading all of them anew
 */
export async function rebalance(on: OnCoordinator, drainOnly: boolean): Promise<void> {
  for (;;) {
    const job = await on(async (session) => {
      const running = await readJob(session);
      if (running && isUnderWay(running)) return running;
      const moves = await readMoves(session, drainOnly);
      if (moves.length === 0) return undefined;
      for (const line of describeMoves(moves)) console.log(line);
      await session.query(startRebalanceStatement(), [drainOnly]);
      return readJob(session);
    });
    if (job === undefined) return;
    await follow(on, job.job);
  }
}

/** Shows a job's progress until it ends. No deadline: how long it takes is a matter of how much there is, and it goes on by itself. */
async function follow(on: OnCoordinator, job: string): Promise<void> {
  const started = Date.now();
  let first: number | undefined;
  let printed = "";
  for (;;) {
    const now = await on(readJob);
    if (now === undefined || now.job !== job) return;
    first ??= now.counts["done"] ?? 0;
    const line = describeProgress(now, { done: first, seconds: (Date.now() - started) / 1000 });
    if (line !== printed) console.log(line);
    printed = line;
    if (!isUnderWay(now)) {
      if (now.state === "finished") return;
      throw new Error(
        `the rebalance job ${job} ended as ${now.state}; nothing was removed and no shard is lost. ` +
          `What it said: ${now.problems.join("; ") || "nothing"}. Mend that and run it again.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** Refuses a change that could not be carried out, before anything is changed. */
export function refuseImpossible(declared: readonly GroupSpec[], nodes: readonly NodeRow[]): void {
  const leaving = leavingGroups(declared, nodes);
  const staying = nodes.filter((node) => node.role === "primary" && !leaving.includes(node.group));
  if (leaving.length > 0 && staying.length === 0) {
    throw new Error(
      `groups ${leaving.join(", ")} cannot leave: no registered group would stay to take their shards. ` +
        "Add groups in one change, and remove the others in the next.",
    );
  }
}
