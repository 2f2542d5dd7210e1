import type { Session } from "../session";
import { sqlState } from "../session";
import type { Job, Task } from "./job";
import { describeProgress, doneMoves, failedSince, hopeless, isUnderWay, movedBy } from "./job";
import { describeMoves } from "./plan";
import type { OnCoordinator } from "./reconcile";
import { moveProblems, readMoves } from "./reconcile";
import {
  readCopiedStatement,
  readJobStatement,
  readTasksStatement,
  readTaskSizesStatement,
  startRebalanceStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";

const LOOK_EVERY_MS = 1000;
/** Interval between two progress lines if no move has finished meanwhile. */
const TELL_EVERY_MS = 10_000;

async function readJob(session: Session): Promise<Job | undefined> {
  const [row] = await session.query<Omit<Job, "tasks">>(readJobStatement());
  return row && { ...row, tasks: await session.query<Task>(readTasksStatement(), [row.job]) };
}

/** Bytes copied by running moves, only for display; 0 while a node cannot be reached. */
async function readCopied(session: Session): Promise<number> {
  try {
    const [copied] = await session.query<{ bytes: number }>(readCopiedStatement());
    return copied?.bytes ?? 0;
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return 0;
  }
}

/**
 * Moves shards in the background until none is left to move. It waits for a job that is already running, so an interrupted run continues
 * where it stopped.
 * @param drainOnly only move shards away from leaving groups, instead of rebalancing all shards
 * @throws before it starts a job, if the moves do not fit on the disks; if the job fails or makes no progress
 */
export async function rebalance(on: OnCoordinator, drainOnly: boolean): Promise<void> {
  for (;;) {
    const job = await on(async (session) => {
      const running = await readJob(session);
      if (running && isUnderWay(running)) return running;
      const moves = await readMoves(session, drainOnly);
      if (moves.length === 0) return undefined;
      const problems = await moveProblems(session, moves);
      if (problems.length > 0) {
        throw new Error(
          `cannot move the shards as planned; none was moved: ${problems.join("; ")}. ` +
            "Free some space there, or lower that parameter on the coordinators, and run this again.",
        );
      }
      for (const line of describeMoves(moves)) printProgress(line);
      await session.query(startRebalanceStatement(), [drainOnly]);
      return readJob(session);
    });
    if (job === undefined) return;
    await follow(on, job);
  }
}

/** Shows a job's progress until it ends. No deadline: the duration depends on the amount of data, and the job continues by itself. */
async function follow(on: OnCoordinator, first: Job): Promise<void> {
  const started = Date.now();
  const sizes = await on(async (session) => {
    const rows = await session.query<{ task: string; bytes: number }>(readTaskSizesStatement(), [first.job]);
    return new Map(rows.map(({ task, bytes }) => [task, bytes]));
  });
  const all = {
    moves: first.tasks.length,
    bytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
  const since = movedBy(first, sizes, 0);
  let furthest = first;
  let last = first;
  let told: { moves: number; at: number } | undefined;
  for (;;) {
    const [now, copied] = await on(
      async (session) => [await readJob(session), await readCopied(session)] as const,
    );
    if (now === undefined || now.job !== first.job) return;
    const moved = movedBy(now, sizes, copied);
    if (told === undefined || moved.moves > told.moves || Date.now() - told.at >= TELL_EVERY_MS) {
      printProgress(describeProgress(now.job, moved, all, since, (Date.now() - started) / 1000));
      told = { moves: moved.moves, at: Date.now() };
    }
    for (const { task, message } of failedSince(last, now))
      printProgress(`move ${task} failed: ${message.trim()}`);
    if (!isUnderWay(now)) {
      if (now.state === "finished") return;
      const said = now.tasks.flatMap(({ state, message }) =>
        state !== "done" && message ? [message.trim()] : [],
      );
      throw new Error(
        `the rebalance job ${now.job} ended as ${now.state}; nothing was removed and no shard is lost. ` +
          `Its messages: ${said.join("; ") || "none"}. Fix the cause and run this again.`,
      );
    }
    if (doneMoves(now) > doneMoves(furthest)) furthest = now;
    const stuck = hopeless(furthest, now);
    if (stuck !== undefined) {
      throw new Error(
        `the rebalance job ${now.job} makes no progress; nothing was removed and no shard is lost. Move ${stuck.task} failed ` +
          `${stuck.failures} times, most recently with: ${stuck.message.trim()}\nFix the cause and run this again: Citus retries once a minute, ` +
          `and the next run continues this job. To cancel it, run SELECT citus_job_cancel(${now.job}).`,
      );
    }
    last = now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
