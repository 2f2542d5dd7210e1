import type { Chance } from "../support/chance";

/** What a round measured, by name; units belong into the name (`gap ms`). They are the columns of the trial's table. */
export type Figures = Readonly<Record<string, number | string>>;

export interface Round {
  readonly name: string;
  /** The same in every run with the same seed, whichever other rounds are run. */
  readonly chance: Chance;
  /** Prints a line of progress. */
  readonly say: (line: string) => void;
}

/**
 * A trial that takes too long for `make test`: the export `trial` of a file `tests/long/<name>.trial.ts`, which the command finds by itself.
 * Each round counts as one test, is recorded when it has ended, and is not run again when an interrupted run goes on. A round says that
 * a claim does not hold by throwing (`node:assert/strict`); Jest is not there.
 */
export interface Trial<Bench = unknown> {
  /** What is claimed, in a sentence. */
  readonly description: string;
  /** Their names, each once. A name stays what it is when others are added: it is a label of the round's chance. */
  readonly rounds: readonly string[];
  /** How long a round may take before it counts as hung, in minutes. Default 15. */
  readonly minutes?: number;
  /** Why this machine cannot run it, if it cannot: then every round counts as skipped, and the reason is printed. */
  missing?(): string | undefined;
  /** Brings up what the rounds share, also where an earlier run was killed. Again after a round that failed. */
  open(): Promise<Bench>;
  round(round: Round, bench: Bench): Promise<Figures>;
  /** Takes away what `open` brought up, in whatever state. Without KEEP_STACK=1 it is called in any case. */
  close(bench: Bench): Promise<void>;
}
