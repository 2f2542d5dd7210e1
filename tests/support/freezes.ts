import assert from "node:assert/strict";
import type { Chance } from "./chance";
import * as faults from "./faults";
import { PrimarySampler } from "./primaries";
import { groupOf, type MemberGroup } from "./group";
import { eventually, type TestStack } from "./stack";
import { Writer, type WriterReport, type WriterTarget } from "./writer";

/** What of a leader is frozen, and not dead: it goes on where it was. */
export const FREEZES = {
  Patroni: faults.freezePatroni,
  container: faults.freezeContainer,
  PostgreSQL: faults.freezePostgres,
} as const;
export type FreezeKind = keyof typeof FREEZES;

/** Who is frozen, and whoever notices. */
export interface FrozenGroup extends MemberGroup {
  readonly target: WriterTarget;
}

/** The members of a workload of that stack, whichever group of which kind they are. */
export const frozenGroup = async (
  stack: TestStack,
  workload: string,
  count: number,
): Promise<FrozenGroup> => ({
  ...groupOf(stack, workload, count),
  target: await stack.target("app_readwrite"),
});

export interface FreezeReport extends WriterReport {
  readonly leader: string;
  /** For how long more than one member said that it takes writes, from the first such sample to the last. */
  readonly twoPrimariesMs: number;
  readonly samples: number;
  /** How often a member's process 1 has killed everything in it, because the lease was not renewed. */
  readonly kills: number;
}

/** Freezes a part of the leader for some seconds under a writing client, lets it go on, and waits until the group is whole. */
export async function freeze(
  group: FrozenGroup,
  kind: FreezeKind,
  seconds: number,
  run: string,
): Promise<FreezeReport> {
  const leader = await group.whole();
  const killsBefore = await kills(group);
  const writer = new Writer(group.target, run);
  const sampler = new PrimarySampler(group.members, group.inside);
  sampler.start();
  const report = await writer
    .during(async () => {
      const thaw = await FREEZES[kind](leader, group.inside);
      await passed(seconds);
      await thaw();
      await writer.awaitAcknowledged(100);
      await group.whole();
      await writer.awaitAcknowledged(100);
    })
    .finally(() => sampler.stop());
  const times = sampler.verdict().map(({ at }) => at);
  return {
    ...report,
    leader,
    twoPrimariesMs: times.length === 0 ? 0 : Math.max(...times) - Math.min(...times) + 100,
    samples: sampler.samples,
    kills: (await kills(group)) - killsBefore,
  };
}

/** So many freezes of each kind, as rounds of a long trial; what stands before the kind is the trial's. */
export const freezeRounds = (each: number, before = ""): readonly string[] =>
  Object.keys(FREEZES).flatMap((kind) =>
    Array.from({ length: each }, (_, index) => `${before}${kind} ${index + 1}`),
  );

/** Of a freeze in a long trial: the watchdog's time is 15 s, the lease's 20: below, between and above both. */
const SECONDS = { least: 2, most: 40 };

/** One of these rounds: with its figures, or an error where it makes two primaries or loses a write. */
export async function frozenRound(
  group: FrozenGroup,
  { name, chance }: { readonly name: string; readonly chance: Chance },
): Promise<Readonly<Record<string, number>>> {
  const kind = name.split(" ").at(-2) as FreezeKind;
  const seconds = chance.between(SECONDS.least, SECONDS.most);
  const report = await freeze(group, kind, seconds, `${name} ${Date.now()}`);
  assert.deepEqual(report.lost, [], "acknowledged writes are lost");
  assert.equal(report.twoPrimariesMs, 0, "two members took writes at a time");
  assert.ok(report.samples > 10, `the members were asked ${report.samples} times only`);
  return {
    ...{ "frozen s": seconds, "two primaries ms": report.twoPrimariesMs, kills: report.kills },
    ...{ "gap ms": report.longestGapMs, acknowledged: report.acknowledged, unknown: report.unknown },
  };
}

const kills = async ({ members, inside }: FrozenGroup): Promise<number> =>
  (await Promise.all(members.map((member) => faults.watchdogKills(member, inside)))).reduce(
    (sum, count) => sum + count,
    0,
  );

/** A freeze is as long as it is; there is nothing to wait for in it. */
export const passed = (seconds: number): Promise<unknown> => {
  const until = Date.now() + seconds * 1000;
  return eventually(`${seconds} s have passed`, seconds * 1000 + 5_000, () =>
    Date.now() < until ? Promise.reject(new Error("not yet")) : Promise.resolve(),
  );
};
