/** The progress of a background job of Citus that moves shards. Pure. */

import { formatBytes } from "./plan";

/** One move of a shard and the shards colocated with it. */
export interface Task {
  readonly task: string;
  /** `blocked`, `runnable`, `running`, `done`, `error`, `unscheduled`, `cancelling`, `cancelled`. */
  readonly state: string;
  /** Number of failures. Citus retries after 5 s, 20 s, then every minute, and gives up after 32 failures (`CalculateBackoffDelay`). */
  readonly failures: number;
  /** Its last message. */
  readonly message: string;
}

export interface Job {
  readonly job: string;
  /** `scheduled`, `running`, `finished`, `failing`, `failed`, `cancelling`, `cancelled`. */
  readonly state: string;
  readonly tasks: readonly Task[];
}

export const isUnderWay = ({ state }: Pick<Job, "state">): boolean =>
  ["scheduled", "running", "failing", "cancelling"].includes(state);

/** Stop waiting after this many failures of one move while no other one finished. A failover of a node causes fewer. */
const FAILURES = 4;

export const doneMoves = (job: Job): number => job.tasks.filter(({ state }) => state === "done").length;

const newFailures = (before: Job, { task, failures }: Task): number =>
  failures - (before.tasks.find((other) => other.task === task)?.failures ?? 0);

/** Moves that failed since `before`. */
export const failedSince = (before: Job, now: Job): readonly Task[] =>
  now.tasks.filter((task) => newFailures(before, task) > 0);

/** A move that has failed too often since `before`, the job's last progress, for waiting to help. */
export const hopeless = (before: Job, now: Job): Task | undefined =>
  now.tasks.find((task) => newFailures(before, task) >= FAILURES);

/** What a job has moved. */
export interface Moved {
  readonly moves: number;
  readonly bytes: number;
}

/** `sizes`: bytes by task; `copied`: bytes copied by moves that are still running. */
export const movedBy = (job: Job, sizes: ReadonlyMap<string, number>, copied: number): Moved => ({
  moves: doneMoves(job),
  bytes: job.tasks.reduce(
    (sum, { task, state }) => sum + (state === "done" ? (sizes.get(task) ?? 0) : 0),
    copied,
  ),
});

/** A progress line: what has been moved, of how much, the rate and the remaining time at that rate. */
export function describeProgress(job: string, now: Moved, all: Moved, since: Moved, seconds: number): string {
  const parts = [`rebalance job ${job}: ${now.moves} of ${all.moves} moves`];
  if (all.bytes > 0)
    parts.push(`${formatBytes(Math.min(now.bytes, all.bytes))} of ${formatBytes(all.bytes)}`);
  // By bytes if they are known, because moves differ in size.
  const of = (moved: Moved): number => (all.bytes > 0 ? moved.bytes : moved.moves);
  const rate = seconds > 0 ? (of(now) - of(since)) / seconds : 0;
  if (rate > 0 && now.moves < all.moves) {
    if (all.bytes > 0) parts.push(`${formatBytes(rate)}/s`);
    parts.push(`about ${Math.ceil(Math.max(0, of(all) - of(now)) / rate)} s left`);
  }
  return parts.join(", ");
}
