import * as faults from "../support/faults";
import { PrimarySampler } from "../support/primaries";
import { Writer, type WriterReport } from "../support/writer";
import { type Bench, MEMBERS } from "./bench";
import { type Figure, spread } from "./table";

interface Fault {
  readonly name: string;
  readonly runs: number;
  /** The longest time between two acknowledged writes that any of the runs may show. */
  readonly goalSeconds: number;
  /** Planned: no write may fail either. */
  readonly planned?: true;
  /** Makes it happen to the leader; resolves with what ends it. */
  strike(leader: string): Promise<() => Promise<unknown>>;
}

const nothingToHeal = (): Promise<void> => Promise.resolve();

const FAULTS: readonly Fault[] = [
  {
    name: "switchover",
    runs: 3,
    goalSeconds: 2,
    planned: true,
    async strike(leader) {
      await faults.switchover(leader);
      return nothingToHeal;
    },
  },
  {
    name: "postmaster SIGKILL",
    runs: 3,
    goalSeconds: 3,
    async strike(leader) {
      await faults.killPostmaster(leader);
      return nothingToHeal;
    },
  },
  {
    name: "Patroni SIGKILL",
    runs: 3,
    goalSeconds: 3,
    async strike(leader) {
      await faults.killPatroni(leader);
      return nothingToHeal;
    },
  },
  {
    name: "container killed and started again",
    runs: 3,
    goalSeconds: 3,
    async strike(leader) {
      await faults.kill(leader);
      await faults.start(leader);
      return nothingToHeal;
    },
  },
  {
    name: "container killed for good",
    runs: 1,
    goalSeconds: 22,
    async strike(leader) {
      await faults.kill(leader);
      return () => faults.start(leader);
    },
  },
];

/** How long writes through the endpoint wait when the leader meets a fault. */
export async function measureGaps(bench: Bench): Promise<void> {
  await bench.stack.prepareWrites();
  for (const fault of FAULTS) {
    const name = `write gap: ${fault.name}, ${fault.runs === 1 ? "1 run" : `min / median / max of ${fault.runs}`}`;
    await bench.measure(name, async () => {
      const runs: Run[] = [];
      for (let i = 0; i < fault.runs; i++) runs.push(await during(bench, fault));
      return figureOf(fault, runs);
    });
  }
}

interface Run extends WriterReport {
  /** Moments at which two members took writes. */
  readonly twoPrimaries: number;
}

async function during(bench: Bench, fault: Fault): Promise<Run> {
  const { stack } = bench;
  const leader = await bench.settled();
  const writer = new Writer(await stack.target("app_readwrite"), `${fault.name} ${Date.now()}`);
  const sampler = new PrimarySampler([...Array(MEMBERS).keys()].map((i) => stack.member("patroni", i)));
  sampler.start();
  const report = await writer
    .during(async () => {
      const heal = await fault.strike(leader);
      await writer.awaitAcknowledged(100);
      await heal();
      await stack.whole(MEMBERS);
      await writer.awaitAcknowledged(100);
    })
    .finally(() => sampler.stop());
  const run = { ...report, twoPrimaries: sampler.verdict().length };
  bench.say(
    `    ${leader}: gap ${run.longestGapMs} ms, ${run.acknowledged} acknowledged, ${run.unknown} failed, ${run.lost.length} lost`,
  );
  return run;
}

function figureOf(fault: Fault, runs: readonly Run[]): Figure {
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const { min, median, max } = spread(runs.map((run) => run.longestGapMs / 1000));
  const failed = sum((run) => run.unknown);
  // Neither ever happens; if it does, a short gap is worth nothing.
  const lost = sum((run) => run.lost.length);
  const twoPrimaries = sum((run) => run.twoPrimaries);
  const gaps = runs.length === 1 ? [max] : [min, median, max];
  return {
    figure: [
      `${gaps.map((gap) => gap.toFixed(2)).join(" / ")} s`,
      `${failed} failed`,
      ...(lost > 0 ? [`${lost} LOST`] : []),
      ...(twoPrimaries > 0 ? ["TWO PRIMARIES"] : []),
    ].join(", "),
    goal: `<= ${fault.goalSeconds} s${fault.planned ? ", 0 failed" : ""}`,
    met: max <= fault.goalSeconds && lost + twoPrimaries === 0 && !(fault.planned && failed > 0),
  };
}
