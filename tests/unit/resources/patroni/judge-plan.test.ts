import {
  ailing,
  dependsOnImage,
  describeRefusals,
  leavingLibraries,
  onlyLibraryLists,
  parametersOf,
  patched,
  questionOf,
  serverComplaint,
  undeclared,
  withoutNewLibraries,
} from "../../../../components/resources/patroni/judge-plan";
import type { JsonObject } from "../../../../components/resources/patroni/plan";
import type { ClusterStatus, MemberStatus } from "../../../../components/resources/patroni/status";

const withParameters = (parameters: JsonObject): JsonObject => ({ ttl: 20, postgresql: { parameters } });
const group = { extensions: ["pg_cron"], database: "app", librariesBefore: [], section: "patroni" };

describe("what PostgreSQL is asked", () => {
  it("are the parameters as text, with what else the server is to be", () => {
    const desired = withParameters({ work_mem: "8MB", max_connections: 50, jit: false, gone: null });
    expect(questionOf(desired, withParameters({ huge_pages: "on" }), group)).toEqual({
      parameters: { work_mem: "8MB", max_connections: "50", jit: "off" },
      extensions: ["pg_cron"],
      database: "app",
      librariesBefore: [],
      holdsHugePages: true,
    });
    expect(parametersOf({})).toEqual({});
  });

  it("is told with the setting, the server's own line and the way out", () => {
    const question = questionOf(withParameters({ timezone: "Europe/Brelin" }), undefined, group);
    const told = describeRefusals(
      [
        { about: "timezone", said: 'LOG: invalid value for parameter "TimeZone": "Europe/Brelin"' },
        { about: "extension vectr", said: 'ERROR: extension "vectr" is not available' },
      ],
      question,
      "patroni",
    );
    expect(told).toBe(
      `PostgreSQL, in the members' own image, rejects this configuration; nothing was changed:
  patroni.parameters.timezone = Europe/Brelin: PostgreSQL rejects it: LOG: invalid value for parameter "TimeZone": "Europe/Brelin"
    Correct the value or remove it.
  patroni.extensions = vectr: PostgreSQL rejects it: ERROR: extension "vectr" is not available
    Correct the name, or add its Debian package to the image (images.postgresPackages); libraries that must be preloaded also belong in parameters.shared_preload_libraries.`,
    );
    expect(dependsOnImage({ about: "extension vectr", said: "" })).toBe(true);
    expect(dependsOnImage({ about: "session_preload_libraries", said: "" })).toBe(true);
    expect(dependsOnImage({ about: "timezone", said: "" })).toBe(false);
  });

  it("is told to drop an extension before its library goes, whichever image comes with that", () => {
    const refusal = { about: "shared_preload_libraries", said: "without pgaudit …", extension: "pgaudit" };
    const question = questionOf(withParameters({ shared_preload_libraries: "pg_cron" }), undefined, group);
    expect(describeRefusals([refusal], question, "patroni")).toContain(
      "\n    DROP EXTENSION pgaudit first, or leave its library in the list.",
    );
    expect(dependsOnImage(refusal)).toBe(false);
  });
});

describe("libraries that come and go with an image", () => {
  const live = withParameters({ shared_preload_libraries: "pg_stat_statements,pg_cron", jit: "off" });

  it("go before the image is without them, and nothing else is touched by that", () => {
    const desired = withParameters({ shared_preload_libraries: "pg_stat_statements", jit: "on" });
    expect(leavingLibraries(live, desired, {})).toEqual(["pg_cron"]);
    expect(onlyLibraryLists(withoutNewLibraries(live, desired), {})).toEqual({
      postgresql: { parameters: { shared_preload_libraries: "pg_stat_statements" } },
    });
  });

  it("come when every member has the image", () => {
    const desired = withParameters({ shared_preload_libraries: "pg_stat_statements, pgaudit", jit: "on" });
    expect(parametersOf(withoutNewLibraries(live, desired))).toEqual({
      shared_preload_libraries: "pg_stat_statements",
      jit: "on",
    });
  });

  it("are left alone where the list was never ours, and removed where it was", () => {
    const own = withParameters({ session_preload_libraries: "auto_explain" });
    expect(leavingLibraries(own, withParameters({}), {})).toEqual([]);
    expect(leavingLibraries(own, withParameters({}), own)).toEqual(["auto_explain"]);
    expect(onlyLibraryLists(withParameters({}), own)).toEqual({
      postgresql: { parameters: { session_preload_libraries: null } },
    });
  });
});

it("what nobody declares is known by its name", () => {
  expect(undeclared(withParameters({ a: "1", b: "2" }), withParameters({ a: "3" }))).toEqual(["b"]);
});

it("a PATCH is what Patroni makes of it", () => {
  const live = { ttl: 20, postgresql: { parameters: { a: "1", b: "2" }, use_slots: true } };
  expect(patched(live, { ttl: null, postgresql: { parameters: { a: null, c: "3" } } })).toEqual({
    postgresql: { parameters: { b: "2", c: "3" }, use_slots: true },
  });
});

describe("what a server said of why it does not start", () => {
  it.each([
    [
      "a value, with the line that names it",
      `2026-11-28 03:17:10.016 UTC [22] LOG:  invalid value for parameter "TimeZone": "Mars/Olympus"
2026-11-28 03:17:10.020 UTC [22] FATAL:  configuration file "/var/lib/postgresql/data/postgresql.conf" contains errors
2026-11-28 03:17:10,100 INFO: postmaster pid=22`,
      'LOG: invalid value for parameter "TimeZone": "Mars/Olympus" FATAL: configuration file "/var/lib/postgresql/data/postgresql.conf" contains errors',
    ],
    [
      "a library, the last time",
      `    | 2026 [1] FATAL:  could not access file "pg_corn": No such file or directory
    | 2026 [2] LOG:  starting PostgreSQL 17
    | 2026 [2] FATAL:  could not access file "pg_cron": No such file or directory`,
      'FATAL: could not access file "pg_cron": No such file or directory',
    ],
    [
      "nothing, where sessions were ended",
      `2026 [3] FATAL:  terminating connection due to administrator command
2026 [4] [user=app,db=app] FATAL:  the database system is starting up`,
      "",
    ],
  ])("is %s", (_, log, said) => {
    expect(serverComplaint(log)).toBe(said);
  });
});

describe("who may need the new configuration to become well", () => {
  const member = (name: string, more: Partial<MemberStatus> = {}): MemberStatus => ({
    ...{ name, role: "replica", state: "running", streaming: true, barred: false },
    ...more,
  });
  const status = (members: MemberStatus[], leader?: string) =>
    ({ leader, paused: false, members }) as unknown as ClusterStatus;

  it.each([
    [undefined, status([member("a"), member("b")], "a")],
    ["the cluster has no leader", status([member("a")])],
    ["b is in state start failed", status([member("a"), member("b", { state: "start failed" })], "a")],
    // It reads the configuration when it comes back.
    [undefined, status([member("a"), member("b", { state: undefined, problem: "gone" })], "a")],
  ])("is %s", (expected, seen) => {
    expect(ailing(seen)).toBe(expected);
  });
});
