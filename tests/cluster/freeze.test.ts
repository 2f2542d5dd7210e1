import { freeze, type FreezeKind, type FreezeReport, frozenGroup } from "../support/freezes";
import { TestStack } from "../support/stack";

const stack = new TestStack();
const results: string[] = [];

/** Longer than the lease, so that somebody else leads when it ends. */
const LONG_SECONDS = 24;
/** Shorter than what the watchdog waits for. */
const SHORT_SECONDS = 8;

const frozen = async (kind: FreezeKind, seconds: number): Promise<FreezeReport> => {
  const group = await frozenGroup(stack, "patroni", 3);
  const report = await freeze(group, kind, seconds, `${kind} frozen for ${seconds} s ${Date.now()}`);
  results.push(
    `${kind} frozen for ${seconds} s`.padEnd(34) +
      `two primaries ${report.twoPrimariesMs} ms  kills ${report.kills}  gap ${String(report.longestGapMs).padStart(6)} ms  acknowledged ${report.acknowledged}  lost ${report.lost.length}  samples ${report.samples}`,
  );
  expect(report.lost).toEqual([]);
  expect(report.samples).toBeGreaterThan(10);
  return report;
};

describe("a leader that freezes never comes back as a second primary (H1)", () => {
  afterAll(() => console.log(`frozen leaders:\n${results.join("\n")}`));

  test.each(["Patroni", "container", "PostgreSQL"] as const)(
    "%s is frozen for longer than the lease: it is killed before or at once, and follows",
    async (kind) => {
      expect(await frozen(kind, LONG_SECONDS)).toMatchObject({ twoPrimariesMs: 0, kills: 1 });
    },
  );

  test("process 1 of a member has precedence over all that it may have to kill", async () => {
    const { members, inside } = await frozenGroup(stack, "patroni", 3);
    for (const member of members) {
      // Whoever was executed from outside, such as the reader, has no parent in there, as process 1 has none.
      const script = '$1 == 1 || $4 != 0 { print ($1 == 1 ? "first" : $2), $19 }';
      const lines = (await inside.run(member, "sh", "-c", `awk '${script}' /proc/[0-9]*/stat`)).split("\n");
      expect(lines).toEqual(expect.arrayContaining(["first 0", "(postgres) 10"]));
      expect(lines.filter((line) => line !== "first 0" && !line.endsWith(" 10"))).toEqual([]);
    }
  });

  test("a freeze that ends well before the lease kills nobody", async () => {
    expect(await frozen("PostgreSQL", SHORT_SECONDS)).toMatchObject({ twoPrimariesMs: 0, kills: 0 });
  });
});
