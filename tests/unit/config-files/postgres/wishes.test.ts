import { hbaLines, identLines } from "../../../../config-files/postgres/access";
import { resolveParameters } from "../../../../config-files/postgres/parameters";
import type { PostgresWishes } from "../../../../config-files/postgres/wishes";

const ARCHIVE: PostgresWishes = {
  guest: "backup",
  libraries: ["auto_explain"],
  parameters: {
    archive_mode: { mandatory: "on", why: "without it there are no backups" },
    archive_timeout: { default: "60s" },
    max_worker_processes: { atLeast: 12, why: "its workers" },
    max_wal_senders: { atLeast: 20, why: "copies" },
  },
};
const EXPORTER: PostgresWishes = {
  guest: "exporter",
  libraries: ["auto_explain", "pg_wait_sampling"],
  parameters: { max_worker_processes: { atLeast: 10, why: "its own" }, track_io_timing: { default: "off" } },
};

const resolved = (
  user: Readonly<Record<string, string | number>>,
  ...guests: readonly PostgresWishes[]
): ReturnType<typeof resolveParameters> => resolveParameters(user, { memoryMiB: 1024, guests });

describe("parameters of guests (docs/architecture.md, Guests)", () => {
  test("libraries are united: ours, the guests', the user's", () => {
    const { parameters, problems } = resolved({ shared_preload_libraries: "pg_cron" }, ARCHIVE, EXPORTER);
    expect(problems).toEqual([]);
    expect(parameters["shared_preload_libraries"]).toBe(
      "pg_stat_statements,auto_explain,pg_wait_sampling,pg_cron",
    );
  });

  test("a mandatory value is set, a default where the user sets nothing, the greatest minimum raises", () => {
    expect(resolved({}, ARCHIVE, EXPORTER).parameters).toMatchObject({
      ...{ archive_mode: "on", archive_timeout: "60s", max_worker_processes: "12", max_wal_senders: "20" },
      track_io_timing: "off",
    });
  });

  test("a minimum never lowers what we or the user have", () => {
    const modest = { guest: "modest", parameters: { max_wal_senders: { atLeast: 3, why: "it" } } };
    expect(resolved({}, modest).parameters["max_wal_senders"]).toBe("16");
    expect(resolved({ max_worker_processes: 30 }, ARCHIVE).parameters["max_worker_processes"]).toBe("30");
    const postgres = { guest: "modest", parameters: { max_worker_processes: { atLeast: 3, why: "it" } } };
    expect(resolved({}, postgres).parameters["max_worker_processes"]).toBe("8");
  });

  test("a minimum of what nobody knows the value of is refused, not guessed", () => {
    const odd = { guest: "odd", parameters: { wal_skip_threshold: { atLeast: 1, why: "it" } } };
    expect(resolved({}, odd).problems).toEqual([
      expect.objectContaining({
        setting: "wal_skip_threshold",
        rule: `has a minimum from the guest "odd", but PostgreSQL's default is unknown here`,
      }),
    ]);
  });

  test("the user's own setting wins over a default", () => {
    expect(resolved({ archive_timeout: "5min" }, ARCHIVE).parameters["archive_timeout"]).toBe("5min");
  });

  test.each([
    [
      "a mandatory value",
      { archive_mode: "off" },
      'is always on with the guest "backup": without it there are no backups',
    ],
    ["a minimum", { max_worker_processes: 9 }, 'must be at least 12 with the guest "backup": its workers'],
  ])("the user's own setting is refused against %s, naming the guest", (_, user, rule) => {
    expect(resolved(user, ARCHIVE, EXPORTER).problems).toEqual([expect.objectContaining({ rule })]);
  });

  const other = (parameters: PostgresWishes["parameters"]): PostgresWishes => ({
    guest: "other",
    parameters,
  });
  test.each([
    [
      "mandatory values",
      other({ archive_mode: { mandatory: "always", why: "it" } }),
      'must be "on" by the guest "backup" and "always" by the guest "other"',
    ],
    [
      "defaults",
      other({ ARCHIVE_TIMEOUT: { default: "5min" } }),
      'has the default "60s" by the guest "backup" and "5min" by the guest "other"',
    ],
    [
      "a mandatory value and a minimum",
      other({ max_wal_senders: { mandatory: "14", why: "it" } }),
      'must be "14" by the guest "other" and at least 20 for the guest "backup"',
    ],
  ])("two guests that contradict each other in %s are refused, naming both", (_, guest, rule) => {
    expect(resolved({}, ARCHIVE, guest).problems).toEqual([expect.objectContaining({ rule })]);
    expect(resolved({}, guest, ARCHIVE).problems).toHaveLength(1);
  });

  test.each([
    ["fsync", "off"],
    ["port", "5433"],
    ["wal_level", "minimal"],
  ])("a guest cannot change what is not to be changed: %s", (name, value) => {
    expect(resolved({}, other({ [name]: { mandatory: value, why: "it" } })).problems).toEqual([
      expect.objectContaining({ setting: name, rule: expect.stringContaining('the guest "other"') }),
    ]);
  });
});

describe("access rules of guests", () => {
  const guests: readonly PostgresWishes[] = [
    { guest: "exporter", access: [{ role: "exporter", by: "socket", database: "postgres" }] },
    {
      guest: "backup",
      access: [
        { role: "backup", by: { certificate: "backup" }, from: "10.0.0.0/8" },
        { role: "probe", by: "password" },
      ],
    },
  ];

  test.each(["alone", "coordinator", "worker"] as const)("stand in their places: %s", (kind) => {
    const lines = hbaLines(kind, { guests });
    const at = (line: string): number => lines.indexOf(line);
    const socket = at("local postgres exporter peer map=guests");
    const closed = lines.findIndex((line) => /^local all all/.test(line));
    const system = at("hostssl all postgres all cert map=nodes");
    const certificate = at("hostssl all backup 10.0.0.0/8 cert map=guests");
    const password = at("hostssl all probe all scram-sha-256");
    const others = lines.findIndex((line) => /^hostssl all all/.test(line));
    expect([socket, certificate, password].every((line) => line >= 0)).toBe(true);
    expect(socket).toBeLessThan(closed);
    expect(system).toBeLessThan(certificate);
    expect(certificate).toBeLessThan(password);
    expect(password).toBeLessThan(others);
  });

  test("whoever comes over the socket or by certificate becomes the guest's role and no other", () => {
    expect(identLines("alone", { guests }).filter((line) => line.startsWith("guests"))).toEqual([
      "guests postgres exporter",
      "guests backup backup",
    ]);
  });

  test("without guests there is no line more", () => {
    expect(hbaLines("alone", { guests: [] })).toEqual(hbaLines("alone"));
  });
});
