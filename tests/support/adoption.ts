import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Chance } from "./chance";
import { docker, eventually, type Settings, type TestStack } from "./stack";
import { query, Writer, type WriterReport, type WriterTarget } from "./writer";

/** Long enough that a client meets each certificate that is shown meanwhile, in ms. */
const CLIENT_LIFETIME_MS = 1_000;
/** Within which an `up` is killed, in ms; an undisturbed one takes some minutes. */
const KILLED = { least: 5_000, most: 90_000 };
/** For how long a client that is to be refused tries to get in. */
const REFUSED_AFTER_MS = 3_000;

/** The state of a stack of tests, which its stack does not know any more while it is away: the CLI's backend is a folder of the stack's. */
class LostState {
  private readonly place: string;
  private readonly kept: string;

  constructor(stack: TestStack) {
    this.place = path.join(stack.folder, "pulumi");
    this.kept = path.join(stack.folder, "former-state");
    fs.rmSync(this.kept, { recursive: true, force: true });
    fs.renameSync(this.place, this.kept);
  }

  /** As if it had never been lost. */
  restore(): void {
    fs.rmSync(this.place, { recursive: true, force: true });
    fs.renameSync(this.kept, this.place);
  }

  /** Does something with the state that was lost, and puts the present one back. */
  async found(does: () => Promise<void>): Promise<void> {
    const present = `${this.place}-present`;
    fs.renameSync(this.place, present);
    fs.renameSync(this.kept, this.place);
    try {
      await does();
    } finally {
      fs.renameSync(this.place, this.kept);
      fs.renameSync(present, this.place);
    }
  }
}

const certificates = (pem: string): number => pem.split("-----BEGIN CERTIFICATE-----").length - 1;

/** Whether a client gets in with what it knows, and if not, why. */
async function refusal(target: WriterTarget): Promise<string | undefined> {
  try {
    await query(target, "SELECT 1", [], REFUSED_AFTER_MS);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Runs a writing client beside something, and has it go on afterwards. */
async function underWriter(
  target: WriterTarget,
  run: string,
  does: () => Promise<void>,
): Promise<WriterReport & { readonly seconds: number }> {
  const writer = new Writer(target, `${run} ${Date.now()}`, { maxLifetimeMs: CLIENT_LIFETIME_MS });
  const started = performance.now();
  let seconds = 0;
  const report = await writer.during(async () => {
    await does();
    seconds = Math.round((performance.now() - started) / 100) / 10;
    await writer.awaitAcknowledged(100);
  });
  assert.deepEqual(report.lost, [], `${run}: acknowledged writes are lost`);
  return { ...report, seconds };
}

/**
 * The runbook docs/runbooks/adopt-a-cluster.md from beginning to end, under writing clients: the state is lost, the cluster is adopted by
 * another one, and the former authority is trusted and then forgotten. The stack has the adopter's state afterwards.
 * @param kills how often the `up` that adopts is killed before it may end
 */
export async function adoptWithoutState(
  stack: TestStack,
  {
    kills,
    chance,
    say,
  }: { readonly kills: number; readonly chance: Chance; readonly say: (line: string) => void },
): Promise<Readonly<Record<string, number>>> {
  const former = await stack.target("app_readwrite");
  const formerReader = await stack.target("app_readonly");
  const owner = await stack.target("dpg_cluster");
  const lost = new LostState(stack);

  const refused = /belongs to the stack/;
  const taken = await underWriter(former, "adopted", async () => {
    try {
      stack.configure();
      await assert.rejects(stack.preview(), refused);
      await assert.rejects(stack.up(), refused);
      say("refused without `adopt`");
      stack.configure(adopting(stack.cluster, { app_readwrite: "wrong", dpg_cluster: owner.password }));
      const explained = /app_readonly is missing[^]*app_readwrite is not the password/;
      await assert.rejects(stack.preview(), explained);
    } catch (error) {
      lost.restore();
      throw error;
    }
    const passwords = { app_readwrite: former.password, dpg_cluster: owner.password, app_readonly: "new" };
    stack.configure(adopting(stack.cluster, passwords));
    await stack.preview();
    for (let kill = 0; kill < kills; kill++) {
      const afterMs = chance.between(KILLED.least, KILLED.most);
      const killed = await stack.upKilledAfter(afterMs);
      say(killed ? `killed after ${afterMs} ms` : `was done before ${afterMs} ms`);
    }
    await stack.up();
    stack.configure();
    await stack.up("--expect-no-changes");
    await lost.found(async () => {
      await assert.rejects(stack.preview(), refused);
    });
  });
  say(described("adopted", taken));

  const both = await stack.target("app_readwrite");
  assert.equal(certificates(both.ca), 2);
  assert.match((await refusal(formerReader)) ?? "", /authentication failed/);
  assert.equal(
    await refusal({ ...formerReader, password: (await stack.target("app_readonly")).password }),
    undefined,
  );
  const authority = async (wish: string): Promise<void> => {
    stack.configure({ certificates: { formerAuthority: wish } });
    await stack.up();
    await stack.up("--expect-no-changes");
  };
  const trusted = await underWriter(both, "trusted", async () => {
    await authority("trust");
    await eventually(
      "who trusts the former authority alone is refused",
      stack.readsFilesWithinMs,
      async () => {
        assert.match((await refusal(former)) ?? "it gets in", /certificate/);
      },
    );
  });
  say(described("trusted", trusted));
  const forgotten = await underWriter(both, "forgotten", () => authority("forget"));
  say(described("forgotten", forgotten));
  const own = await stack.target("app_readwrite");
  assert.equal(certificates(own.ca), 1);
  assert.equal(await refusal(own), undefined);

  return Object.fromEntries(
    Object.entries({ taken, trusted, forgotten }).flatMap(([step, report]) => [
      [`${step} s`, report.seconds],
      [`${step} gap ms`, report.longestGapMs],
      [`${step} acknowledged`, report.acknowledged],
      [`${step} unknown`, report.unknown],
    ]),
  );
}

const described = (
  step: string,
  { seconds, longestGapMs, longestGapEnded, unknown, errors }: WriterReport & { readonly seconds: number },
): string =>
  [
    `${step}: ${seconds} s, gap ${longestGapMs} ms until ${longestGapEnded.toISOString()}, ${unknown} failed`,
    ...errors,
  ].join("; ");

/** Takes a stack away that may be adopted by halves: containers of the state that it had hold its volumes then. */
export async function removeBoth(stack: TestStack): Promise<void> {
  try {
    await stack.remove();
  } catch (error) {
    const left = await stack.containers();
    if (left.length === 0) throw error;
    await docker("rm", "--force", ...left);
    await stack.remove();
  }
}

const adopting = (cluster: string, passwords: Readonly<Record<string, string>>): Settings => ({
  adopt: { cluster, passwords },
});
