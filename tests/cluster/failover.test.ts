import * as faults from "../support/faults";
import { passed } from "../support/freezes";
import { PrimarySampler } from "../support/primaries";
import { expectKept, inFailover, type Promised } from "../support/promises";
import { docker, eventually, TestStack } from "../support/stack";
import { Writer, type WriterReport } from "../support/writer";

const stack = new TestStack();
const MEMBERS = 3;
const members = [0, 1, 2].map((i) => stack.member("patroni", i));
const etcd = [0, 1, 2].map((i) => stack.member("etcd", i));
const results: string[] = [];

/**
 * Writes through the endpoint while `fault` happens; `heal` ends it. In every case: nothing acknowledged is lost, never two
 * primaries, writes wait for no longer than is promised, and the cluster becomes whole again without help.
 */
async function survives(
  promised: Promised,
  fault: (leader: string) => Promise<() => Promise<unknown>>,
): Promise<WriterReport> {
  const name = promised.row;
  const leader = await stack.whole(MEMBERS);
  const writer = new Writer(await stack.target("app_readwrite"), `${name} ${Date.now()}`);
  const sampler = new PrimarySampler(members);
  sampler.start();
  const report = await writer
    .during(async () => {
      const heal = await fault(leader);
      await writer.awaitAcknowledged(100);
      await heal();
      await stack.whole(MEMBERS);
      await writer.awaitAcknowledged(100);
    })
    .finally(() => sampler.stop());
  results.push(
    `${name.padEnd(56)} gap ${String(report.longestGapMs).padStart(6)} ms  acknowledged ${String(report.acknowledged).padStart(6)}  unknown ${String(report.unknown).padStart(4)}  lost ${report.lost.length}  samples ${sampler.samples}`,
  );
  expect(report.lost).toEqual([]);
  expect(sampler.verdict()).toEqual([]);
  expect(sampler.samples).toBeGreaterThan(10);
  expectKept(promised, report.longestGapMs);
  return report;
}

/** Python for a member: whether it believes that somebody leads without etcd. */
const WAS_TOLD = `
import sys
sys.path.insert(0, "/usr/local/bin")
from patroni_rest import get
print(get("/patroni").get("failsafe_mode_is_active", False))
`;

const nothingToHeal = (): Promise<unknown> => Promise.resolve();

describe("no acknowledged write is lost and the cluster becomes whole again (H1, H5)", () => {
  afterAll(() => {
    console.log(`write gaps through the endpoint:\n${results.join("\n")}`);
  });

  test("a switchover through the pool fails no transaction", async () => {
    const report = await survives(inFailover("Switchover, by whoever"), async (leader) => {
      await faults.switchover(leader);
      return nothingToHeal;
    });
    expect(report.errors).toEqual([]);
  });

  test.each([
    ["switchover", faults.switchover, nothingToHeal],
    ["restart of PostgreSQL", faults.restartPostgres, nothingToHeal],
    ["stop of the primary's container", faults.stop, faults.start],
  ] as const)(
    "a %s waits for replicas that confirm nothing for a moment, and fails no transaction",
    async (_, plannedStop, heal) => {
      const report = await survives(
        inFailover("A planned stop while no replica confirms anything for 6 s"),
        async (leader) => {
          const replicas = members.filter((name) => name !== leader);
          const thaws = await Promise.all(replicas.map((name) => faults.freezeReceiver(name, stack.inside)));
          const stopped = plannedStop(leader);
          await passed(6);
          await Promise.all(thaws.map((thaw) => thaw()));
          await stopped;
          return () => heal(leader);
        },
      );
      expect(report.errors).toEqual([]);
    },
  );

  test("the postmaster is killed", () =>
    survives(inFailover("The postmaster is killed"), async (leader) => {
      await faults.killPostmaster(leader);
      return nothingToHeal;
    }));

  test("Patroni is killed", () =>
    survives(inFailover("Patroni is killed"), async (leader) => {
      await faults.killPatroni(leader);
      return nothingToHeal;
    }));

  test("the primary's container is stopped, which hands over first and fails no transaction", async () => {
    const report = await survives(inFailover("The primary's container is stopped"), async (leader) => {
      await faults.stop(leader);
      return () => faults.start(leader);
    });
    expect(report.errors).toEqual([]);
  });

  test("the primary's container is killed and started again", () =>
    survives(inFailover("The primary's container is killed and started again"), async (leader) => {
      await faults.kill(leader);
      await faults.start(leader);
      return nothingToHeal;
    }));

  test("the primary's container is killed for good", () =>
    survives(inFailover("The primary's container is killed for good"), async (leader) => {
      await faults.kill(leader);
      return () => faults.start(leader);
    }));

  test("the primary is cut off from etcd and the replicas: another one takes its place", async () => {
    const former = await stack.whole(MEMBERS);
    await survives(inFailover("The primary is cut off from etcd and the replicas"), (leader) =>
      faults.cutOff(leader, [...etcd, ...members.filter((m) => m !== leader)]),
    );
    expect(await stack.whole(MEMBERS)).not.toBe(former);
  });

  test("one etcd member is down", () =>
    survives(inFailover("One etcd member is killed"), async () => {
      await faults.kill(etcd[0]!);
      return async () => {
        await faults.start(etcd[0]!);
        await faults.healthy(etcd[0]!);
      };
    }));

  test("all of etcd is down for 15 s, and the primary goes on (failsafe mode)", () =>
    survives(inFailover("All etcd members are killed for 15 s"), async () => {
      const since = Date.now();
      await Promise.all(etcd.map(faults.kill));
      await eventually("15 s have passed", 20_000, async () => {
        if (Date.now() - since < 15_000) throw new Error(`${Date.now() - since} ms`);
        return Promise.resolve();
      });
      return async () => {
        await Promise.all(etcd.map(faults.start));
        await Promise.all(etcd.map((member) => faults.healthy(member)));
      };
    }));

  test("a switchover soon after a time without etcd: those who were told that the leader goes on follow at once", async () => {
    const report = await survives(
      inFailover("A switchover soon after a time without etcd"),
      async (leader) => {
        await Promise.all(etcd.map(faults.kill));
        await eventually("every replica was told that the leader goes on", 60_000, async () => {
          for (const member of members.filter((name) => name !== leader))
            expect(await docker("exec", member, "/usr/bin/python3", "-c", WAS_TOLD)).toBe("True");
        });
        await Promise.all(etcd.map(faults.start));
        await Promise.all(etcd.map((member) => faults.healthy(member)));
        await faults.switchover(leader);
        return nothingToHeal;
      },
    );
    expect(report.errors).toEqual([]);
  });

  test("an HAProxy is killed", () =>
    survives(inFailover("An HAProxy is killed"), async () => {
      await faults.kill(stack.member("haproxy", 0));
      return async () => {
        await faults.start(stack.member("haproxy", 0));
        await faults.healthy(stack.member("haproxy", 0));
      };
    }));

  test("a PgBouncer is killed", () =>
    survives(inFailover("A PgBouncer is killed"), async () => {
      await faults.kill(stack.member("pool-write", 0));
      return async () => {
        await faults.start(stack.member("pool-write", 0));
        await faults.healthy(stack.member("pool-write", 0));
      };
    }));
});
