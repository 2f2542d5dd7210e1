import { waitUntil } from "../../dynamic/wait-until";
import type { Session } from "../session";
import type { GroupSpec, JobState, Move, NodeRow, ShardsRow, Space } from "./plan";
import {
  describeMoves,
  describeProgress,
  isUnderWay,
  leavingGroups,
  markSteps,
  missingOf,
  spaceProblems,
  toAdd,
} from "./plan";
import {
  addNodeStatement,
  readHealthStatement,
  readJobStatement,
  readLeastFreeStatement,
  readNodesStatement,
  readPlanStatement,
  readShardsStatement,
  readSpaceStatement,
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

/** Adds workers that somebody else runs. */
export async function addExternal(on: OnCoordinator, groups: readonly GroupSpec[]): Promise<void> {
  await on(async (session) => {
    for (const { group, host, port } of toAdd(groups, await readNodes(session))) {
      console.log(`add ${host}:${port} to the cluster as group ${group}`);
      await session.query(addNodeStatement(), [host, port, group]);
    }
  });
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
export async function mark(
  on: OnCoordinator,
  groups: readonly GroupSpec[],
  tell: (line: string) => void = (line) => {
    console.log(line);
  },
): Promise<void> {
  await on(async (session) => {
    for (const { host, port, shards } of markSteps(groups, await readNodes(session))) {
      tell(shards ? `shards may lie on ${host}` : `no shard shall lie on ${host} any more`);
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

/** What leaves, and what of it cannot be done; nothing is changed. */
export interface Departure {
  readonly leaving: readonly number[];
  readonly moves: readonly Move[];
  readonly problems: readonly string[];
}

/** Asks the database what it would move away from groups that are no longer declared, and whether that fits. */
export async function planDeparture(on: OnCoordinator, declared: readonly GroupSpec[]): Promise<Departure> {
  return on(async (session) => {
    const nodes = await readNodes(session);
    const leaving = leavingGroups(declared, nodes);
    if (leaving.length === 0) return { leaving, moves: [], problems: [] };
    if (!nodes.some((node) => node.role === "primary" && !leaving.includes(node.group))) {
      const problem =
        "no registered group would stay to take their shards; add groups in one change, and remove the others in the next";
      return { leaving, moves: [], problems: [problem] };
    }
    // Marked for the length of this transaction only, so that the database says where it would move them.
    await session.query("BEGIN");
    let moves: readonly Move[];
    try {
      await mark(
        (use) => use(session),
        declared,
        () => undefined,
      );
      moves = await readMoves(session, true);
    } finally {
      await session.query("ROLLBACK");
    }
    const [least] = await session.query<{ percent: number }>(readLeastFreeStatement());
    const space = await session.query<Space>(readSpaceStatement());
    return { leaving, moves, problems: spaceProblems(moves, space, least?.percent ?? 0) };
  });
}

/** Refuses a change that could not be carried out, before anything is changed. */
export async function refuseImpossible(on: OnCoordinator, declared: readonly GroupSpec[]): Promise<void> {
  const { leaving, problems } = await planDeparture(on, declared);
  if (problems.length === 0) return;
  throw new Error(
    `worker groups ${leaving.join(", ")} cannot leave, and nothing was changed: ${problems.join("; ")}. ` +
      "Make space on the others, or let fewer groups leave at a time (docs/runbooks/scale-workers.md).",
  );
}
