import { judgeDisks, readDisk } from "../../../commands/doctor/disk";
import { checkCertificates } from "../../../commands/doctor/certificates";
import { judgeGroup } from "../../../commands/doctor/groups";
import { findingLine } from "../../../commands/doctor/doctor";
import type { PatroniMember } from "../../../commands/groups";
import { judgeHealth } from "../../../commands/health";
import { duration, psLines, readMemory } from "../../../commands/ps";
import { readDuration } from "../../../commands/slow-queries";
import { statusDocument, statusLines } from "../../../commands/status";
import { replicationLines } from "../../../commands/test-replication";
import { slowSeconds, slowStatement } from "../../../commands/test-slow-query";
import type { ClusterMember } from "../../../components/reach/cluster-members";

const member = (name: string, over: Partial<ClusterMember> = {}): ClusterMember => ({
  ...{ name, workload: "patroni", state: "running", readiness: "ready", status: "Up" },
  ...{ address: name, node: "m", startedAt: "2026-01-01T11:00:00Z", restarts: 0 },
  ...over,
});
const known = (Member: string, Role: string, State: string, more: object = {}): PatroniMember => ({
  Member,
  Role,
  State,
  TL: 2,
  ...more,
});
const LED = [known("a", "Leader", "running"), known("b", "Replica", "streaming", { "Replay Lag": 0 })];

describe("health in a line (S6)", () => {
  const both = [member("a"), member("b")];
  const group = (members: readonly PatroniMember[]) => [{ workload: "patroni", members }];
  test.each([
    ["all is well", both, group(LED), true, "2 members are ready; leader: a"],
    [
      "a member is not ready",
      [member("a"), member("b", { readiness: "unready" })],
      group(LED),
      false,
      "b is not ready",
    ],
    [
      "a member does not run",
      [member("a"), member("b", { state: "exited", readiness: "unready" })],
      group(LED),
      false,
      "b is exited",
    ],
    [
      "nobody leads",
      both,
      group([known("a", "Replica", "running"), LED[1]!]),
      false,
      "patroni has no leader; a is not streaming (running)",
    ],
    [
      "a replica does not stream",
      both,
      group([LED[0]!, known("b", "Replica", "starting")]),
      false,
      "b is not streaming (starting)",
    ],
    [
      "a member is unknown to Patroni",
      both,
      group([LED[0]!]),
      false,
      "patroni: 1 of 2 members are known to Patroni",
    ],
    ["there is nothing", [], [], false, "the stack has no members"],
    [
      "there is no database",
      [member("e", { workload: "etcd" })],
      [],
      false,
      "the stack has no database members",
    ],
  ] as const)("%s", (_, members, groups, ok, seen) => {
    const judged = judgeHealth(members, groups);
    expect({ ok: judged.ok, seen: judged.seen.join("; ") }).toEqual({ ok, seen });
  });
});

describe("doctor's findings of a group (S6)", () => {
  const judged = (
    found: readonly PatroniMember[] | string,
    expected = 2,
    why?: { seen: string; remedy: string },
  ) =>
    judgeGroup({ name: "demo" }, "patroni", found, expected, why).map(
      ({ ok, part, seen }) => `${ok ? "ok" : "WRONG"} ${part}: ${seen}`,
    );

  test("led, with a replica that streams", () => {
    expect(judged(LED)).toEqual(["ok patroni leader: a, timeline 2", "ok b: streaming, lag 0 MB"]);
  });
  test("a replica that is behind, one that does not stream, one with a pending restart, one that is unknown", () => {
    const behind = known("b", "Replica", "streaming", { "Replay Lag": 100, "Pending restart": "*" });
    expect(judged([LED[0]!, behind, known("c", "Replica", "stopped")], 4)).toEqual([
      "ok patroni leader: a, timeline 2",
      "WRONG b: streaming, lag 100 MB",
      "WRONG c: stopped, lag unknown MB",
      "WRONG b: has a pending restart",
      "WRONG patroni members: 3 of 4 are known to Patroni",
    ]);
  });
  test("the remedy for a pending restart names the stack", () => {
    const pending = known("b", "Replica", "streaming", { "Replay Lag": 0, "Pending restart": "*" });
    const [finding] = judgeGroup({ name: "demo" }, "patroni", [LED[0]!, pending], 2, undefined).filter(
      ({ ok }) => !ok,
    );
    expect(finding?.remedy).toBe(
      "'make up STACK=demo' or 'make restart STACK=demo' restarts the members in order",
    );
  });
  test("nobody leads: what etcd says of it, once", () => {
    const why = { seen: "it waits for c", remedy: "start c" };
    expect(judged([known("a", "Replica", "running"), known("b", "Replica", "running")], 2, why)).toEqual([
      "WRONG patroni leader: it waits for c",
      "ok a: running, waiting for a leader",
      "ok b: running, waiting for a leader",
    ]);
    expect(judged("no patroni runs", 2)).toEqual(["WRONG patroni leader: no patroni runs"]);
  });
  test("two leaders", () => {
    expect(judged([LED[0]!, known("b", "Leader", "running")])).toEqual([
      "WRONG patroni leader: 2 members claim to be the leader",
    ]);
  });
  test("a finding is a line, and its remedy another", () => {
    expect(findingLine({ part: "etcd", ok: false, seen: "gone", remedy: "start it" })).toBe(
      `WRONG   etcd                   gone\n${" ".repeat(31)}-> start it`,
    );
  });
});

describe("what members say of themselves is read (S6)", () => {
  test("disks, with the fullest of them", () => {
    expect(readDisk("Use% Avail\n 43% 12345")).toEqual({ percent: 43, freeMegabytes: 12345 });
    expect(readDisk("df: no such file")).toEqual({ problem: 'unexpected output of df: "df: no such file"' });
    const disk = (name: string, percent: number) => ({ name, percent, freeMegabytes: 7 });
    expect(judgeDisks([disk("a", 10), disk("b", 89)])).toEqual([
      { part: "disk", ok: true, seen: "at most 89 % of the data volumes of 2 members is used" },
    ]);
    expect(judgeDisks([disk("a", 90), { name: "b", problem: "silent" }]).map(({ seen }) => seen)).toEqual([
      "a: 90 % of its data volume is used, 7 MB left",
      "b: silent",
    ]);
    expect(judgeDisks([])).toMatchObject([{ ok: false, seen: "no member with data is running" }]);
  });

  test("memory, of either version of control groups", () => {
    expect(readMemory("1000\n2000\n300")).toEqual({ usedBytes: 700, limitBytes: 2000 });
    expect(readMemory("1000\nmax\n300")).toEqual({ usedBytes: 700, limitBytes: null });
    expect(readMemory("1000\n9223372036854771712\n2000")).toEqual({ usedBytes: 0, limitBytes: null });
    expect(readMemory("")).toBeUndefined();
  });

  test("durations in a log, of statements and prepared ones, and no other line", () => {
    const line = "2026-01-01 [7] [user=a] LOG:  duration: 303.125 ms  execute s1: SELECT 1";
    expect(readDuration("a", line)).toEqual({
      milliseconds: 303.125,
      member: "a",
      statement: "execute s1: SELECT 1",
    });
    expect(readDuration("a", "LOG:  checkpoint complete: sync=0.1 s")).toBeUndefined();
  });

  test("a slow statement takes longer than what is logged", () => {
    expect([100, 0, 5000, -1].map(slowSeconds)).toEqual([0.3, 0.2, 5.2, undefined]);
    expect(slowStatement("mark", 0.3)).toBe("SELECT pg_sleep(0.3), 'mark' AS test_slow_query");
  });

  test("certificates have fourteen days", () => {
    const stack = { name: "prod", settings: "", state: "" };
    const now = new Date("2026-01-01T00:00:00Z");
    const expire = { etcd: "2026-01-15T00:00:00Z", patroni: "2026-01-14T23:59:59Z" };
    expect(checkCertificates(stack, expire, now).map(({ ok, remedy }) => [ok, remedy])).toEqual([
      [true, undefined],
      [false, "'make up STACK=prod' renews it: docs/runbooks/certificate-expired.md"],
    ]);
  });
});

describe("what is printed for people and for programs (S6)", () => {
  test("ps", () => {
    const now = new Date("2026-01-01T12:00:30Z");
    const memory = { usedBytes: 90 * 2 ** 20, limitBytes: 768 * 2 ** 20 };
    const away = {
      ...member("longer-b", { state: "exited", readiness: "unready", node: "", startedAt: undefined }),
      memory: null,
    };
    expect(psLines([{ ...member("a"), memory }, away], now)).toEqual([
      "MEMBER    ON  STATE   UP     RESTARTS  MEMORY",
      "a         m   ready   1h 0m  0         90 of 768 MiB",
      "longer-b  -   exited  -      0         -",
    ]);
    expect([0, 59_999, 61_000, 90_000_000].map(duration)).toEqual(["0s", "59s", "1m 1s", "1d 1h"]);
  });

  test("status", () => {
    const leaderless = { seen: "it waits", remedy: "start b" };
    const groups = [
      {
        workload: "worker-1",
        number: 1,
        members: [known("a", "Replica", "running", { "Pending restart": "*" })],
        leaderless,
      },
    ];
    const members = [member("a")];
    const said = { part: "pg-0 queue", ok: false, seen: "900 segments wait", remedy: "mend it" };
    expect(statusDocument("pg", members, groups, { guests: [said] })).toMatchObject({ guests: [said] });
    expect(statusDocument("pg", members, groups)).toEqual({
      ...{ cluster: "pg", members },
      groups: [
        {
          ...{ workload: "worker-1", group: 1, leader: null, leaderless },
          members: [
            {
              name: "a",
              role: "Replica",
              state: "running",
              timeline: 2,
              lagMegabytes: null,
              restartPending: true,
            },
          ],
        },
      ],
    });
    expect(statusLines(members, groups)).toEqual([
      ...["a  Up", "", "a  Replica, running, timeline 2  RESTART PENDING"],
      "\nworker-1: it waits.\n  -> start b",
    ]);
  });

  test("test-replication", () => {
    const replicas = [
      { name: "b", milliseconds: 12 },
      { name: "c", milliseconds: null, problem: "it is behind" },
    ];
    expect(replicationLines({ leader: "a", position: "0/1", replicas })).toEqual([
      "a is the leader and wrote a message at 0/1",
      "b has replayed it after 12 ms",
      "c HAS NOT replayed it after 10 s (it is behind)",
    ]);
  });
});
