import assert from "node:assert/strict";
import { onPath } from "../../commands/programs";
import { TestStack } from "../support/stack";
import { VICTIMS } from "../support/victims";
import { query, Writer } from "../support/writer";
import type { Trial } from "./trial";

/** Of each victim. */
const KILLS = 12;

interface Bench {
  readonly stack: TestStack;
  /** Of the last round, to find again what it wrote. */
  before: { readonly run: string; readonly written: number } | undefined;
}

const found = async ({ stack, before }: Bench): Promise<number> => {
  const target = await stack.target("app_readwrite");
  const [row] = await query<{ n: string }>(target, "SELECT count(*) AS n FROM writes WHERE run = $1", [
    before?.run ?? "",
  ]);
  return Number(row?.n);
};

/** Small, and with more than one member: a change rolls through it. */
const settings = (memory: number) => ({
  patroni: { members: 2, memory: `${memory}Mi` },
  etcd: { members: 1 },
  proxy: { writePools: 1, readPools: 1, entries: 1 },
});

export const trial: Trial<Bench> = {
  description:
    "an up of which everything or one process is killed at any moment is finished by the next one, and nothing is lost",
  rounds: Array.from({ length: KILLS }, (_, index) =>
    VICTIMS.map((victim) => `${victim} ${index + 1}`),
  ).flat(),

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "kills", cluster: "pg-kills", folder: "kills" },
      ports: { write: 21532, read: 21533, statistics: 21534 },
      over: { citus: "off", ...settings(512) },
    });
    await stack.start();
    await stack.prepareWrites();
    return { stack, before: undefined };
  },

  async round({ name, chance, say }, bench) {
    const { stack } = bench;
    const run = `${name} ${Date.now()}`;
    // A change that touches every member; another value than the last round's.
    stack.configure(settings(480 + 8 * chance.between(1, 40)));
    const afterMs = chance.between(500, 20_000);
    const writer = new Writer(await stack.target("app_readwrite"), run);
    const seen = { killed: false, upSeconds: 0 };
    const report = await writer.during(async () => {
      const victim = VICTIMS.find((each) => name.startsWith(each)) ?? "everything";
      seen.killed = await stack.upWithout(victim, afterMs);
      say(seen.killed ? `killed after ${afterMs} ms` : `was done before ${afterMs} ms`);
      const started = performance.now();
      await stack.up("--refresh");
      seen.upSeconds = Math.round((performance.now() - started) / 100) / 10;
      await stack.whole(2);
      await writer.awaitAcknowledged(100);
    });
    assert.deepEqual(report.lost, [], "acknowledged writes are lost");
    if (bench.before !== undefined) {
      const rows = await found(bench);
      assert.ok(rows >= bench.before.written, `${rows} of ${bench.before.written} rows of the last round`);
    }
    bench.before = { run, written: report.acknowledged };
    await stack.up("--expect-no-changes");
    const { deployment } = JSON.parse(await stack.export()) as {
      deployment: { pending_operations?: unknown };
    };
    assert.equal(deployment.pending_operations, undefined, "operations are pending");
    return {
      ...{ "killed after ms": seen.killed ? afterMs : "-", "next up s": seen.upSeconds },
      ...{ "gap ms": report.longestGapMs, acknowledged: report.acknowledged, unknown: report.unknown },
    };
  },

  close: ({ stack }) => stack.remove(),
};
