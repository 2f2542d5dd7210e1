import { messageOf } from "../../components/dynamic/reason";
import { Chance } from "../support/chance";
import type { Result, RunRecord } from "./record";
import type { Round, Trial } from "./trial";

const MINUTES = 15;

/** A trial and what has ended of it. */
export interface Recorded {
  readonly name: string;
  readonly trial: Trial;
  readonly record: RunRecord;
}

export interface Plan {
  readonly trials: readonly Recorded[];
  readonly say: (line: string) => void;
  /** Whether no further round shall begin. */
  readonly stopped: () => boolean;
  /** Leave what a failed round left, and end there. */
  readonly keep: boolean;
  /** Of the rounds only those whose names match, and these also when they have failed before. Default: all. */
  readonly only?: RegExp | undefined;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

class Hung extends Error {}

/** Runs every round that the record does not know yet, and counts all. */
export async function runTrials(plan: Plan): Promise<Counts> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const each of plan.trials) {
    const { name, trial, record } = each;
    const { say } = plan;
    const missing = trial.missing?.();
    const { only } = plan;
    const named = trial.rounds.filter((round) => only?.test(round) ?? true);
    const left = named.filter((round) => {
      const result = record.of(round);
      return result === undefined || (only !== undefined && result.failure !== undefined);
    });
    say(`--- ${name} (seed ${record.seed}): ${trial.description}`);
    if (left.length < named.length)
      say(`${named.length - left.length} of ${named.length} rounds are recorded already`);
    if (named.length < trial.rounds.length)
      say(`left out: ${trial.rounds.length - named.length} rounds of ${name} that ROUNDS does not name`);
    if (left.length > 0 && missing !== undefined)
      say(`skipped: ${left.length} rounds of ${name}: ${missing}`);
    else if (left.length > 0) counts.failed += await runRounds(plan, each, left);
    for (const round of trial.rounds) {
      const result = record.of(round);
      if (result === undefined) counts.skipped++;
      else if (result.failure === undefined) counts.passed++;
      else counts.failed++;
    }
  }
  return counts;
}

/** Resolves with how often what the rounds share could not be brought up or taken away. */
async function runRounds(
  plan: Plan,
  { name, trial, record }: Recorded,
  rounds: readonly string[],
): Promise<number> {
  const { say } = plan;
  let failures = 0;
  let bench: { readonly of: unknown } | undefined;
  const close = async (): Promise<void> => {
    const open = bench;
    bench = undefined;
    if (open === undefined) return;
    try {
      await inTime(trial, trial.close(open.of));
    } catch (error) {
      failures++;
      say(`${name} could not be taken away: ${messageOf(error)}`);
    }
  };
  for (const [index, round] of rounds.entries()) {
    const skip = (from: number, why: string): void => {
      if (from < rounds.length)
        say(`skipped: ${rounds.length - from} rounds of ${name}: ${why}; the next run goes on with them`);
    };
    if (plan.stopped()) {
      skip(index, "stopped");
      break;
    }
    if (bench === undefined) {
      try {
        bench = { of: await inTime(trial, trial.open()) };
      } catch (error) {
        say(`FAILED: what the rounds of ${name} share could not be brought up:\n${indent(messageOf(error))}`);
        skip(index, "there is nothing to try them on");
        return failures + 1;
      }
    }
    const label = `[${name} ${trial.rounds.indexOf(round) + 1}/${trial.rounds.length}] ${round}`;
    const { result, hung } = await runRound(trial, bench.of, {
      name: round,
      chance: new Chance(record.seed, name, round),
      say: (line) => say(`${label}: ${line}`),
    });
    record.keep(round, result);
    say(`${label}: ${result.failure === undefined ? "passed" : "FAILED"} after ${result.seconds} s`);
    if (result.failure === undefined) continue;
    say(indent(result.failure));
    if (plan.keep) {
      skip(index + 1, "KEEP_STACK leaves what the failed one left");
      return failures;
    }
    // What a failed round left is no place for the next one.
    await close();
    if (hung) {
      skip(index + 1, "what hangs would disturb them");
      break;
    }
  }
  if (!plan.keep) await close();
  return failures;
}

async function runRound(
  trial: Trial,
  bench: unknown,
  round: Round,
): Promise<{ readonly result: Result; readonly hung: boolean }> {
  const started = performance.now();
  const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;
  try {
    const figures = await inTime(trial, trial.round(round, bench));
    return { result: { seconds: seconds(), figures }, hung: false };
  } catch (error) {
    const result = { seconds: seconds(), figures: {}, failure: messageOf(error) };
    return { result, hung: error instanceof Hung };
  }
}

const indent = (text: string): string => text.replaceAll(/^/gm, "    ");

async function inTime<T>(trial: Trial, work: Promise<T>): Promise<T> {
  const minutes = trial.minutes ?? MINUTES;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hung(`not done after ${minutes} minutes`)), minutes * 60_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
