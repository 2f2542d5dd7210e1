import assert from "node:assert/strict";
import { onPath } from "../../commands/programs";
import * as faults from "../support/faults";
import { passed } from "../support/freezes";
import { docker, eventually, TestStack } from "../support/stack";
import { Writer } from "../support/writer";
import type { Trial } from "./trial";

const MEMBERS = 3;
const ETCD = 3;

interface Scene {
  readonly stack: TestStack;
  readonly members: readonly string[];
  readonly leader: string;
}

const patronictl = (member: string, ...command: string[]): Promise<string> =>
  docker("exec", member, "patronictl", ...command);

/** As many sessions that write as fast as they can; resolves when their time is over. */
const load = async (leader: string, sessions: number, seconds: number): Promise<void> => {
  const psql = ["psql", "--host", "/run/postgresql", "--dbname", "app", "-Xqc"];
  await docker("exec", leader, ...psql, "CREATE TABLE IF NOT EXISTS heap (id bigserial, filler text)");
  const insert = "INSERT INTO heap (filler) SELECT repeat('x', 500) FROM generate_series(1, 20000)";
  const until = Date.now() + seconds * 1000;
  const session = async (): Promise<void> => {
    while (Date.now() < until) await docker("exec", leader, ...psql, insert);
  };
  await Promise.all(Array.from({ length: sessions }, session));
  await docker("exec", leader, ...psql, "TRUNCATE heap");
};

/** What happens to a leader that has every right to go on, or that others stop in an orderly way. */
const SCENES: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  "ten minutes without etcd": async ({ stack }) => {
    const etcd = Array.from({ length: ETCD }, (_, i) => stack.member("etcd", i));
    await Promise.all(etcd.map(faults.kill));
    await passed(600);
    await Promise.all(etcd.map(faults.start));
    await Promise.all(etcd.map((member) => faults.healthy(member)));
  },

  "eight sessions that write for two minutes": ({ leader }) => load(leader, 8, 120),

  "a base backup while four sessions write": async ({ leader, members }) => {
    const replica = members.find((member) => member !== leader)!;
    const backup = [
      "pg_basebackup",
      "--host",
      "/run/postgresql",
      "--username",
      "postgres",
      "--checkpoint",
      "fast",
    ];
    const place = "/var/lib/postgresql/trial-backup";
    await Promise.all([
      load(leader, 4, 60),
      docker(
        "exec",
        leader,
        "sh",
        "-c",
        `rm -rf ${place} && ${backup.join(" ")} --pgdata ${place}; rm -rf ${place}`,
      ),
      docker(
        "exec",
        replica,
        "sh",
        "-c",
        `rm -rf ${place} && ${backup.join(" ")} --pgdata ${place}; rm -rf ${place}`,
      ),
    ]);
  },

  "a crash with much to recover": async ({ leader }) => {
    await load(leader, 4, 60);
    await faults.killPostmaster(leader);
  },

  "a rewind": async ({ stack, leader }) => {
    await faults.kill(leader);
    await eventually("another member leads", 60_000, async () => {
      const all = await stack.patroni();
      if (!all.some(({ name, role }) => role === "leader" && name !== leader))
        throw new Error(JSON.stringify(all));
    });
    await faults.start(leader);
  },

  "a minute in maintenance mode": async ({ leader }) => {
    await patronictl(leader, "pause", "--wait");
    try {
      await passed(60);
    } finally {
      await patronictl(leader, "resume", "--wait");
    }
  },

  "five switchovers": async ({ stack }) => {
    for (let count = 0; count < 5; count++) await faults.switchover(await stack.whole(MEMBERS));
  },
};

export const trial: Trial<TestStack> = {
  description: "the watchdog kills nobody who may go on",
  rounds: Object.keys(SCENES),
  minutes: 20,

  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),

  async open() {
    const stack = new TestStack({
      ...{ name: "watchdog", cluster: "pg-watchdog", folder: "watchdog" },
      ports: { write: 21540, read: 21541, statistics: 21542 },
      over: {
        ...{ citus: "off", etcd: { members: ETCD }, patroni: { members: MEMBERS } },
        proxy: { writePools: 1, readPools: 1, entries: 1 },
      },
    });
    await stack.start();
    await stack.prepareWrites();
    return stack;
  },

  async round({ name }, stack) {
    const leader = await stack.whole(MEMBERS);
    const members = Array.from({ length: MEMBERS }, (_, i) => stack.member("patroni", i));
    const kills = async (): Promise<number> =>
      (await Promise.all(members.map((member) => faults.watchdogKills(member, stack.inside)))).reduce(
        (a, b) => a + b,
        0,
      );
    const writer = new Writer(await stack.target("app_readwrite"), `${name} ${Date.now()}`);
    const report = await writer.during(async () => {
      await SCENES[name]!({ stack, members, leader });
      await stack.whole(MEMBERS);
      await writer.awaitAcknowledged(100);
    });
    assert.deepEqual(report.lost, [], "acknowledged writes are lost");
    // Of all rounds so far: one with a kill has failed, and the next one has another stack.
    assert.equal(await kills(), 0, "process 1 has killed a member that might have gone on");
    return { "gap ms": report.longestGapMs, acknowledged: report.acknowledged, unknown: report.unknown };
  },

  close: (stack) => stack.remove(),
};
