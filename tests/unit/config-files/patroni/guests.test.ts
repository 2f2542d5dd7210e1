import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { bootstrapYml, dynamicConfiguration, patroniYml } from "../../../../config-files/patroni/patroni";
import { hooksJson, type PatroniWishes, patroniProblems } from "../../../../config-files/patroni/guests";

const BACKUP: PatroniWishes = {
  guest: "backup",
  hooks: [{ event: "pre_promote", command: ["close-gap"], timeoutSeconds: 5, veto: "a gap would stay" }],
  bootstrap: {
    name: "restore",
    command: "restore --to now",
    recovery: { recovery_target_action: "promote" },
  },
  replicaMethods: [{ name: "backup", command: "restore --delta", keepData: true, withoutLeader: true }],
  recovery: { restore_command: "fetch %f %p" },
  slots: { archive: { type: "physical" } },
};
const WATCHER: PatroniWishes = {
  guest: "watcher",
  hooks: [
    { event: "pre_promote", command: ["note"], timeoutSeconds: 1 },
    { event: "on_stop", command: ["note"], timeoutSeconds: 1 },
  ],
};
const section = (text: string, name: string): Record<string, unknown> =>
  (parse(text) as Record<string, Record<string, unknown>>)[name]!;
const cluster = (...guests: readonly PatroniWishes[]): Record<string, unknown> =>
  section(patroniYml({ scope: "pg", etcd: { endpoints: [], username: "u" }, guests }), "postgresql");
const dynamic = (...guests: readonly PatroniWishes[]) =>
  dynamicConfiguration({
    ...{ synchronous: "quorum", synchronousReplicas: 1, parameters: {}, guests },
    timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
  });

describe("what guests want of Patroni (docs/architecture.md, Guests)", () => {
  test("a hook is called where somebody has one, and nowhere else", () => {
    expect(cluster()).not.toHaveProperty("pre_promote");
    expect(cluster(BACKUP, WATCHER)).toMatchObject({
      pre_promote: "/usr/local/bin/patroni-hooks pre_promote",
      callbacks: Object.fromEntries(
        ["on_role_change", "on_start", "on_stop"].map((event) => [event, "/usr/local/bin/patroni-hooks"]),
      ),
    });
  });

  test("several on one event run in the order of the guests, the database's own first", () => {
    const hooks = JSON.parse(hooksJson([BACKUP, WATCHER])) as Record<string, { guest: string }[]>;
    expect(hooks["pre_promote"]!.map(({ guest }) => guest)).toEqual(["backup", "watcher"]);
    expect(hooks["on_start"]!.map(({ guest }) => guest)).toEqual(["database"]);
  });

  test("methods for replicas are tried before basebackup", () => {
    expect(cluster(BACKUP)).toMatchObject({
      create_replica_methods: ["backup", "basebackup"],
      backup: { command: "restore --delta", keep_data: true, no_leader: true },
    });
  });

  test("a method makes the database in place of initdb", () => {
    expect(section(bootstrapYml(dynamic(BACKUP), [BACKUP]), "bootstrap")).toMatchObject({
      method: "restore",
      restore: { command: "restore --to now", recovery_conf: { recovery_target_action: "promote" } },
    });
    const keeps = { ...BACKUP, bootstrap: { name: "restore", command: "restore" } };
    expect(section(bootstrapYml(dynamic(keeps), [keeps]), "bootstrap")).toMatchObject({
      restore: { keep_existing_recovery_conf: true },
    });
  });

  test("slots and recovery settings are of the dynamic configuration, and without guests there are none", () => {
    expect(dynamic(BACKUP)).toMatchObject({
      slots: { archive: { type: "physical" } },
      postgresql: { recovery_conf: { restore_command: "fetch %f %p" } },
    });
    expect(dynamic()).not.toHaveProperty("slots");
    expect(dynamic().postgresql).not.toHaveProperty("recovery_conf");
  });

  const second = (wishes: Partial<PatroniWishes>): PatroniWishes => ({ guest: "second", ...wishes });
  test.each<[string, Partial<PatroniWishes>, string]>([
    ["a bootstrap method", { bootstrap: { name: "other", command: "x" } }, "the bootstrap method"],
    ["a replica method", { replicaMethods: [{ name: "backup", command: "x" }] }, "the replica method backup"],
    ["a slot", { slots: { archive: { type: "physical" } } }, "the slot archive"],
    ["a recovery setting", { recovery: { restore_command: "x" } }, "the recovery setting restore_command"],
  ])("two guests that both want %s are refused, naming both", (_, wishes, about) => {
    expect(patroniProblems([BACKUP, second(wishes)])).toEqual([
      expect.objectContaining({
        about,
        rule: 'is set by two guests, "backup" and "second"',
      }),
    ]);
  });

  test("hooks that together take too long are refused, naming each with its time", () => {
    const slow = second({ hooks: [{ event: "pre_promote", command: ["x"], timeoutSeconds: 11 }] });
    expect(patroniProblems([BACKUP, slow])).toEqual([
      expect.objectContaining({
        rule: "may take 16 s in total (backup 5 s, second 11 s), but at most 15 s are allowed",
      }),
    ]);
  });

  test("what happens after the fact cannot be kept from", () => {
    const late = second({ hooks: [{ event: "on_stop", command: ["x"], timeoutSeconds: 1, veto: "no" }] });
    expect(patroniProblems([late])).toEqual([
      expect.objectContaining({
        about: "hook on_stop",
        rule: 'of the guest "second" cannot veto the event',
      }),
    ]);
  });
});

describe("patroni-hooks", () => {
  const SCRIPT = path.resolve(__dirname, "../../../../config-files/patroni/scripts/patroni-hooks");
  let folder: string;
  beforeEach(() => void (folder = fs.mkdtempSync(path.join(os.tmpdir(), "patroni-hooks-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  /** Runs an event with hooks that note what they were called with. */
  const run = (
    hooks: object,
    ...args: readonly string[]
  ): { code: number | null; said: string; noted: string } => {
    const file = path.join(folder, "hooks.json");
    const notes = path.join(folder, "notes");
    fs.writeFileSync(file, JSON.stringify(hooks));
    const env = { ...process.env, PATRONI_HOOKS: file, NOTES: notes };
    const { status, stderr } = spawnSync("python3", [SCRIPT, ...args], { env, encoding: "utf8" });
    return { code: status, said: stderr, noted: fs.existsSync(notes) ? fs.readFileSync(notes, "utf8") : "" };
  };
  const note = (guest: string, more = "true"): object => ({
    ...{ guest, timeoutSeconds: 5 },
    command: ["sh", "-c", `echo ${guest} "$@" >> "$NOTES"; ${more}`, "sh"],
  });

  test("runs all of an event in order, and tells callbacks what Patroni told", () => {
    const hooks = { on_role_change: [note("first"), note("second")], on_start: [note("other")] };
    expect(run(hooks, "on_role_change", "primary", "pg")).toEqual({
      ...{ code: 0, said: "" },
      noted: "first on_role_change primary pg\nsecond on_role_change primary pg\n",
    });
    expect(run(hooks, "on_stop", "replica", "pg").code).toBe(0);
  });

  test("one that fails keeps nothing from going on, and is told in the log", () => {
    const { code, said, noted } = run({ before_stop: [note("bad", "exit 3"), note("good")] }, "before_stop");
    expect([code, noted]).toEqual([0, "bad\ngood\n"]);
    expect(said).toMatch(/before_stop of bad .* ended with exit code 3 after .* before_stop continues/);
  });

  test("one that has a reason keeps a replica from being promoted, and those after it do not run", () => {
    const hook = { ...note("gap", "exit 1"), veto: "acknowledged writes would be lost" };
    const { code, said, noted } = run({ pre_promote: [hook, note("next")] }, "pre_promote");
    expect([code, noted]).toEqual([1, "gap\n"]);
    expect(said).toContain("pre_promote is aborted: acknowledged writes would be lost");
  });

  test("one that takes too long is ended with all that it started, and the next one runs", () => {
    const child = path.join(folder, "child");
    const hang = { ...note("slow", `sleep 60 & echo $! > ${child}; wait`), timeoutSeconds: 0.5 };
    const { code, said, noted } = run({ before_stop: [hang, note("next")] }, "before_stop");
    expect([code, noted]).toEqual([0, "slow\nnext\n"]);
    expect(said).toContain("took longer than 0.5 s");
    const pid = fs.readFileSync(child, "utf8").trim();
    const state = fs.existsSync(`/proc/${pid}/status`)
      ? fs.readFileSync(`/proc/${pid}/status`, "utf8")
      : "State:\tX";
    expect(state).toMatch(/State:\t[XZ]/);
  });

  test("one that is not there is told, and keeps nothing from going on", () => {
    const missing = { guest: "gone", command: ["/there/is/none"], timeoutSeconds: 1 };
    expect(run({ before_stop: [missing, note("next")] }, "before_stop")).toMatchObject({
      ...{ code: 0, noted: "next\n", said: expect.stringContaining("cannot be run: No such file") },
    });
  });
});
