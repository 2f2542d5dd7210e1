import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunRecord } from "../../long/record";
import { type Counts, runTrials } from "../../long/run";
import { formatFigures } from "../../long/table";
import type { Round, Trial } from "../../long/trial";
import { Chance, seed } from "../../support/chance";

const folder = mkdtempSync(join(tmpdir(), "long-"));
const file = join(folder, "run.json");
afterAll(() => rmSync(folder, { recursive: true }));

/** A trial that notes what is called, and whose rounds do what `act` says. */
class Noted {
  readonly calls: string[] = [];
  readonly drawn: Record<string, number> = {};
  readonly trial: Trial<string>;

  constructor(act: (round: Round) => Promise<void> | void, over: Partial<Trial<string>> = {}) {
    let opened = 0;
    this.trial = {
      description: "rounds are counted",
      rounds: ["a", "b", "c"],
      open: async () => {
        this.calls.push(`open ${++opened}`);
        return `bench ${opened}`;
      },
      round: async (round, bench) => {
        this.calls.push(`${round.name} on ${bench}`);
        this.drawn[round.name] = round.chance.between(0, 1_000_000);
        await act(round);
        return { "gap ms": round.name.length };
      },
      close: async (bench) => void this.calls.push(`close ${bench}`),
      ...over,
    };
  }
}

async function run(
  trial: Trial<string>,
  record: RunRecord,
  more: { stopped?: () => boolean; keep?: boolean; only?: RegExp } = {},
): Promise<Counts & { said: string }> {
  const said: string[] = [];
  const counts = await runTrials({
    ...{ trials: [{ name: "noted", trial, record }], stopped: () => false, keep: false },
    ...{ say: (line: string) => said.push(line), ...more },
  });
  return { ...counts, said: said.join("\n") };
}

test("every round is one test, and what they share is brought up and taken away once", async () => {
  const noted = new Noted(() => {});
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"));
  expect(counts).toMatchObject({ passed: 3, failed: 0, skipped: 0 });
  expect(noted.calls).toEqual(["open 1", "a on bench 1", "b on bench 1", "c on bench 1", "close bench 1"]);
});

test("a round that fails is counted with its words, and the next one does not begin on what it left", async () => {
  const noted = new Noted(({ name }) => {
    if (name === "a") throw new Error("two primaries");
  });
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"));
  expect(counts).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
  expect(counts.said).toContain("two primaries");
  expect(noted.calls).toEqual([
    ...["open 1", "a on bench 1", "close bench 1"],
    ...["open 2", "b on bench 2", "c on bench 2", "close bench 2"],
  ]);
});

test("a run that was interrupted is gone on with by the next process, by the same chance", async () => {
  const whole = new Noted(() => {});
  await run(whole.trial, RunRecord.begin(file, 7, "v"));
  let ended = 0;
  const first = new Noted(() => {
    ended++;
  });
  const begun = await run(first.trial, RunRecord.begin(file, 7, "v"), { stopped: () => ended === 1 });
  expect(begun).toMatchObject({ passed: 1, failed: 0, skipped: 2 });
  expect(begun.said).toContain("skipped: 2 rounds of noted: stopped");
  const second = new Noted(() => {});
  const record = RunRecord.read(file)!;
  expect([record.seed, record.version]).toEqual([7, "v"]);
  expect(await run(second.trial, record)).toMatchObject({ passed: 3, failed: 0, skipped: 0 });
  expect(second.calls).not.toContain("a on bench 1");
  expect({ ...first.drawn, ...second.drawn }).toEqual(whole.drawn);
  const other = new Noted(() => {});
  await run(other.trial, RunRecord.begin(file, 8, "v"));
  expect(other.drawn).not.toEqual(whole.drawn);
});

test("a round that hangs fails, and those after it are left for the next run, which says so", async () => {
  const noted = new Noted(({ name }) => (name === "b" ? new Promise(() => {}) : undefined), {
    minutes: 0.001,
  });
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"));
  expect(counts).toMatchObject({ passed: 1, failed: 1, skipped: 1 });
  expect(counts.said).toContain("not done after 0.001 minutes");
  expect(counts.said).toContain("skipped: 1 rounds of noted: what hangs would disturb them");
});

test("what cannot be brought up, or not taken away, is a failure, and no round's", async () => {
  const dark = new Noted(() => {}, { open: () => Promise.reject(new Error("no disk")) });
  const record = RunRecord.begin(file, 1, "v");
  const counts = await run(dark.trial, record);
  expect(counts).toMatchObject({ passed: 0, failed: 1, skipped: 3 });
  expect(counts.said).toContain("no disk");
  expect(record.of("a")).toBeUndefined();
  const sticky = new Noted(() => {}, { close: () => Promise.reject(new Error("still there")) });
  const left = await run(sticky.trial, record);
  expect(left).toMatchObject({ passed: 3, failed: 1, skipped: 0 });
  expect(left.said).toContain("still there");
});

test("what this machine cannot try is skipped with the reason", async () => {
  const noted = new Noted(() => {}, { missing: () => "no Citus" });
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"));
  expect(counts).toMatchObject({ passed: 0, failed: 0, skipped: 3 });
  expect(counts.said).toContain("skipped: 3 rounds of noted: no Citus");
  expect(noted.calls).toEqual([]);
});

test("ROUNDS leaves the others for the next run, and says how many they are", async () => {
  const noted = new Noted(() => {});
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"), { only: /a|c/ });
  expect(counts).toMatchObject({ passed: 2, failed: 0, skipped: 1 });
  expect(counts.said).toContain("left out: 1 rounds of noted that ROUNDS does not name");
  expect(noted.calls).toEqual(["open 1", "a on bench 1", "c on bench 1", "close bench 1"]);
});

test("ROUNDS repeats what failed of those that it names, and nothing that passed", async () => {
  const record = RunRecord.begin(file, 1, "v");
  await run(
    new Noted(({ name }) => (name === "a" ? undefined : Promise.reject(new Error("lost")))).trial,
    record,
  );
  const again = new Noted(() => {});
  const counts = await run(again.trial, record, { only: /a|c/ });
  expect(counts).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
  expect(again.calls).toEqual(["open 1", "c on bench 1", "close bench 1"]);
});

test("KEEP_STACK leaves what a failed round left", async () => {
  const noted = new Noted(() => Promise.reject(new Error("lost")));
  const counts = await run(noted.trial, RunRecord.begin(file, 1, "v"), { keep: true });
  expect(counts).toMatchObject({ passed: 0, failed: 1, skipped: 2 });
  expect(noted.calls).toEqual(["open 1", "a on bench 1"]);
});

test("figures are a table with the middle and the greatest of each column of numbers", () => {
  const result = (gap: number, failure?: string) => ({ seconds: 2, figures: { "gap ms": gap }, failure });
  const rows = [
    { name: "a", result: result(7) },
    { name: "b", result: result(100, "lost") },
    { name: "c", result: result(20) },
    { name: "d", result: undefined },
  ];
  expect(formatFigures(rows)).toBe(
    [
      "round                s  gap ms",
      "a         passed   2.0       7",
      "b         FAILED   2.0     100",
      "c         passed   2.0      20",
      "d         not run",
      "median                      20",
      "greatest                   100",
    ].join("\n"),
  );
});

test("chance keeps to its range, reaches both ends, and depends on its labels alone", () => {
  const chance = new Chance(3, "x");
  const seen = Array.from({ length: 200 }, () => chance.between(2, 4));
  expect(new Set(seen)).toEqual(new Set([2, 3, 4]));
  const again = new Chance(3, "x");
  expect(Array.from({ length: 200 }, () => again.between(2, 4))).toEqual(seen);
  expect([new Chance(3, "y").next(), new Chance(4, "x").next()]).not.toContain(new Chance(3, "x").next());
});

test("SEED is a number or refused", () => {
  expect(seed("42")).toBe(42);
  expect(seed("")).toBeGreaterThan(0);
  expect(() => seed("now")).toThrow("SEED=now");
});
