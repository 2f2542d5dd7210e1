import { defaultParameters } from "../../../../config-files/postgres/defaults";
import { LIMITS, MANAGED, MANDATORY } from "../../../../config-files/postgres/mandatory";
import { type ParameterValue, resolveParameters } from "../../../../config-files/postgres/parameters";
import { findSetting, isValid, SETTING_NAMES } from "../../../../config-files/postgres/settings";

const FACTS = { memoryMiB: 1024 };
const problems = (user: Readonly<Record<string, ParameterValue>>, facts = FACTS): string[] =>
  resolveParameters(user, facts).problems.map(
    (p) => `${p.setting} = ${String(p.value)}: ${p.rule}. ${p.remedy}.`,
  );

describe("PostgreSQL's parameters", () => {
  test("every name that we set is one, and every value of ours is valid", () => {
    const ours = {
      ...defaultParameters(FACTS),
      ...Object.fromEntries(Object.entries(MANDATORY).map(([n, m]) => [n, m.value])),
    };
    for (const [name, value] of Object.entries(ours)) {
      const setting = findSetting(name);
      expect([name, setting !== undefined && isValid(setting, value)]).toEqual([name, true]);
    }
    for (const name of [...Object.keys(MANAGED), ...Object.keys(LIMITS)])
      expect([name, findSetting(name)?.name]).toEqual([name, name]);
  });

  test("the defaults break no rule of ours at any sensible size", () => {
    for (const memoryMiB of [256, 512, 1024, 4096, 65_536, 1_048_576]) {
      expect(problems(defaultParameters({ memoryMiB }), { memoryMiB })).toEqual([]);
    }
  });

  test("no default is mandatory, managed, or both", () => {
    const names = [
      ...Object.keys(MANDATORY),
      ...Object.keys(MANAGED),
      ...Object.keys(defaultParameters(FACTS)),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test("a user's value wins over a default, is written as text, and gets PostgreSQL's spelling of the name", () => {
    const { parameters, problems: none } = resolveParameters(
      { JIT: true, datestyle: "ISO, DMY", work_mem: 8192 },
      FACTS,
    );
    expect(none).toEqual([]);
    expect(parameters).toMatchObject({ jit: "on", DateStyle: "ISO, DMY", work_mem: "8192" });
  });

  test("libraries are added to ours", () => {
    const { parameters } = resolveParameters(
      { shared_preload_libraries: "auto_explain, pg_stat_statements" },
      FACTS,
    );
    expect(parameters["shared_preload_libraries"]).toBe("pg_stat_statements,auto_explain");
  });

  test("an extension's own parameters pass", () => {
    expect(resolveParameters({ "auto_explain.log_min_duration": "1s" }, FACTS)).toMatchObject({
      problems: [],
      parameters: { "auto_explain.log_min_duration": "1s" },
    });
  });

  test("values of several words are one", () => {
    const user = { default_transaction_isolation: "repeatable read" };
    expect(resolveParameters(user, FACTS)).toMatchObject({ problems: [], parameters: user });
  });

  test("a library's workers find the application's database, unless told otherwise", () => {
    const facts = { ...FACTS, database: "shop" };
    const of = (user: Readonly<Record<string, ParameterValue>>) => resolveParameters(user, facts).parameters;
    expect(of({ shared_preload_libraries: "pg_cron, pg_partman_bgw" })).toMatchObject({
      shared_preload_libraries: "pg_stat_statements,pg_cron,pg_partman_bgw",
      "cron.database_name": "shop",
      "cron.use_background_workers": "on",
      "pg_partman_bgw.dbname": "shop",
    });
    expect(of({ shared_preload_libraries: "pg_cron", "cron.database_name": "jobs" })).toMatchObject({
      "cron.database_name": "jobs",
    });
    expect(Object.keys(of({})).filter((name) => name.startsWith("cron."))).toEqual([]);
  });

  test("a parallel build of an index finds its maintenance_work_mem in shared memory", () => {
    expect(problems({ maintenance_work_mem: "640MB" })).toEqual([]);
    expect(problems({ maintenance_work_mem: "641MB" })).toEqual([
      "maintenance_work_mem = 641MB: must be at most 640MB: a parallel index build allocates all of it in /dev/shm (640MB), and within what shared_buffers (256MB) and the processes (128MB) leave of the member's memory limit (1024MB). Lower it, or raise patroni.memory.",
    ]);
    expect(problems({ maintenance_work_mem: "600MB", shared_buffers: "512MB" })).toEqual([
      expect.stringContaining("maintenance_work_mem = 600MB: must be at most 384MB"),
    ]);
  });

  test("all that PostgreSQL 17 has are known", () => {
    expect(SETTING_NAMES.length).toBe(386);
  });
});

describe("a parameter is refused", () => {
  test.each(Object.entries(MANDATORY))("because it is mandatory: %s", (name, { value, why }) => {
    expect(problems({ [name]: value })).toEqual([
      `${name} = ${value}: is always ${value}: ${why}. Remove it.`,
    ]);
  });

  test.each(Object.entries(MANAGED))("because somebody else sets it: %s", (name, why) => {
    expect(problems({ [name]: "1" })).toEqual([`${name} = 1: cannot be set: ${why}. Remove it.`]);
  });

  test.each<[string, ParameterValue, string]>([
    [
      "shared_bufers",
      "1GB",
      "shared_bufers = 1GB: is not a parameter of PostgreSQL 17. Write shared_buffers if you meant that.",
    ],
    ["zzzzzzzzzzz", 1, "zzzzzzzzzzz = 1: is not a parameter of PostgreSQL 17. Remove it."],
    [
      "pg_stat_statements.maxx",
      1,
      "pg_stat_statements.maxx = 1: is not a parameter of PostgreSQL 17. Write pg_stat_statements.max if you meant that.",
    ],
    [
      "block_size",
      1,
      "block_size = 1: cannot be set: it is fixed when the server is built or the database is created. Remove it.",
    ],
    [
      "work_mem",
      "4mb",
      "work_mem = 4mb: must be a size such as 64MB (units B, kB, MB, GB, TB; a number without a unit is in kB) from 64 to 2147483647kB. Correct the value or remove it.",
    ],
    ["work_mem", "4 megabytes", "must be a size"],
    ["work_mem", "1kB", "must be a size"],
    ["checkpoint_timeout", "5m", "must be a time such as 10s"],
    ["checkpoint_timeout", "1s", "from 30 to 86400s"],
    ["jit", "maybe", "must be on or off"],
    ["max_connections", 2.5, "must be a whole number"],
    [
      "max_connections",
      10,
      "must be at least 25: for a lower value Patroni silently uses its own default. Use 25 or more.",
    ],
    ["wal_level", "minimal", "must be replica or logical"],
    ["wal_compression", "brotli", "must be one of"],
    [
      "default_transaction_isolation",
      "serializable",
      "must be read committed or repeatable read: a hot standby does not support",
    ],
    ["default_transaction_read_only", "on", "must be off: every write through the write endpoint would fail"],
    ["session_replication_role", "replica", "must be origin: foreign keys"],
    [
      "wal_receiver_status_interval",
      0,
      "must be at least 1s: a replica would not report its replay position",
    ],
    ["zero_damaged_pages", true, "must be off"],
    ["synchronous_commit", "off", "must be on or remote_apply"],
    ["log_line_prefix", "a\nb", "must be a single line"],
    [
      "shared_buffers",
      "2GB",
      "must be less than the member's memory limit (1024MB). Lower it, or raise patroni.memory.",
    ],
    ["work_mem", 2097152, "must be less than the member's memory limit"],
    [
      "max_connections",
      5000,
      "needs 10256MB with shared_buffers (256MB) and at least 2MB per connection, more than the member's memory limit (1024MB)",
    ],
  ])("%s = %s", (name, value, message) => {
    const found = problems({ [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  test("all at once, and one that is set twice", () => {
    expect(problems({ fsync: "off", wrok_mem: "1MB", jit: "on", JIT: "off" })).toHaveLength(3);
  });
});
