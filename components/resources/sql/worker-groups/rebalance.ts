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
/** Between two lines about a job of which no move has ended meanwhile. */
const TELL_EVERY_MS = 10_000;

async function readJob(session: Session): Promise<Job | undefined> {
  const [row] = await session.query<Omit<Job, "tasks">>(readJobStatement());
  return row && { ...row, tasks: await session.query<Task>(readTasksStatement(), [row.job]) };
}

/** For the display only: while a node cannot be asked, what counts is what is done. */
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
 * Moves shards in the background until nothing is left to move. A job that already runs is waited for, so an interrupted run goes on
 * where it was.
 * @param drainOnly only away from groups that leave, instead of spreading all of them anew
 * @throws before it starts a job, when the moves do not fit; when the job fails or gets no further
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
          `shards cannot be moved as planned, and none was: ${problems.join("; ")}. ` +
            "Make space there, or lower that parameter of the coordinators, and run it again.",
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

/** Shows a job's progress until it ends. No deadline: how long it takes is a matter of how much there is, and it goes on by itself. */
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
          `What it said: ${said.join("; ") || "nothing"}. Mend that and run it again.`,
      );
    }
    if (doneMoves(now) > doneMoves(furthest)) furthest = now;
    const stuck = hopeless(furthest, now);
    if (stuck !== undefined) {
      throw new Error(
        `the rebalance job ${now.job} gets no further; nothing was removed and no shard is lost. Move ${stuck.task} failed ` +
          `${stuck.failures} times, at last with: ${stuck.message.trim()}\nMend that and run it again: Citus goes on trying once a minute, ` +
          `and the next run goes on with this job. SELECT citus_job_cancel(${now.job}) gives it up.`,
      );
    }
    last = now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
