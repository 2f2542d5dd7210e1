import * as fs from "node:fs";
import * as path from "node:path";
import { PROJECT, STATE } from "../../commands/programs";
import { messageOf } from "../../components/dynamic/reason";
import { seed } from "../support/chance";
import { RunRecord, versionOf } from "./record";
import { runTrials } from "./run";
import { formatFigures } from "./table";
import type { Trial } from "./trial";

const RECORDS = path.join(STATE, "long");
const SUFFIX = ".trial.ts";

const USAGE = `usage: make test-long [TRIAL="<trial>..."] [ROUNDS=<regular expression>] [SEED=<number>] [KEEP_STACK=1]

Runs trials that take hours, one round after the other, and records each round when it has ended: a trial that was interrupted is
gone on with by the next run, unless the code has changed meanwhile. One that was finished begins anew, with another seed; SEED
repeats it. ROUNDS leaves out those whose names do not match, and repeats of the others what failed. An interrupt lets the round end; a second one does not.`;

/** Every file of this folder that is a trial, by its name. */
function allTrials(): Record<string, Trial> {
  const files = fs.readdirSync(__dirname).filter((file) => file.endsWith(SUFFIX));
  return Object.fromEntries(
    files.sort().map((file) => {
      const { trial } = require(path.join(__dirname, file)) as { trial: Trial };
      if (new Set(trial.rounds).size < trial.rounds.length)
        throw new Error(`${file}: two rounds of one name`);
      return [file.slice(0, -SUFFIX.length), trial];
    }),
  );
}

/** What is not finished of it, or nothing yet, with a new seed. */
function recordOf(name: string, trial: Trial, version: string, wanted: number | undefined): RunRecord {
  const file = path.join(RECORDS, `${name}.json`);
  const found = RunRecord.read(file);
  const isOpen = found !== undefined && trial.rounds.some((round) => found.of(round) === undefined);
  if (!isOpen || (wanted !== undefined && wanted !== found.seed))
    return RunRecord.begin(file, wanted ?? seed(), version);
  if (found.version === version) return found;
  console.log(`${name}: the code has changed since its results were recorded: beginning anew`);
  return RunRecord.begin(file, found.seed, version);
}

/** What ROUNDS says, or why that is no use. */
function roundsWanted(of: readonly Trial[]): RegExp | undefined | string {
  const text = process.env["ROUNDS"];
  if (!text) return undefined;
  const rounds = of.flatMap((trial) => trial.rounds);
  try {
    const only = new RegExp(text);
    return rounds.some((round) => only.test(round))
      ? only
      : `no round matches ROUNDS=${text}: ${rounds.join(", ")}`;
  } catch (error) {
    return `ROUNDS must be a regular expression, such as "container|Patroni 1": ${messageOf(error)}`;
  }
}

/** The first request to stop lets the round end. */
function onRequestToStop(): () => boolean {
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (stopped) process.exit(130);
      stopped = true;
      console.log(`${signal}: the round ends, no other begins; a second one does not wait for it`);
    });
  return () => stopped;
}

async function main(names: readonly string[]): Promise<number> {
  const all = allTrials();
  const unknown = names.filter((name) => !(name in all));
  if (unknown.length > 0) {
    console.error(`${USAGE}\n\nthere is no trial ${unknown.join(", ")}: ${Object.keys(all).join(", ")}`);
    return 2;
  }
  const version = versionOf(PROJECT);
  const wanted = process.env["SEED"] ? seed() : undefined;
  const chosen = Object.entries(all).filter(([name]) => names.length === 0 || names.includes(name));
  const only = roundsWanted(chosen.map(([, trial]) => trial));
  if (typeof only === "string") {
    console.error(`${USAGE}\n\n${only}`);
    return 2;
  }
  const trials = chosen.map(([name, trial]) => ({
    name,
    trial,
    record: recordOf(name, trial, version, wanted),
  }));
  const stopped = onRequestToStop();
  const say = (line: string): void => console.log(line);
  const counts = await runTrials({ trials, say, stopped, keep: Boolean(process.env["KEEP_STACK"]), only });
  for (const { name, trial, record } of trials) {
    const rows = trial.rounds.map((round) => ({ name: round, result: record.of(round) }));
    if (rows.some(({ result }) => result !== undefined))
      say(`\n${name} (SEED=${record.seed} repeats it)\n${formatFigures(rows)}`);
  }
  say(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 && !stopped() ? 0 : 1;
}

// What a hung round still waits for must not hold the process.
void main(process.argv.slice(2)).then((code) => process.exit(code));
