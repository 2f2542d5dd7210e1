import type { Process } from "../../commands/ps";
import type { statusDocument } from "../../commands/status";
import type { Finding } from "../../components/reach/finding";
import type { Operator } from "./commands";
import { eventually, type TestStack } from "./stack";

type Status = ReturnType<typeof statusDocument>;

/** A stack on which the commands are tried. */
export interface Tried {
  readonly stack: TestStack;
  readonly operator: Operator;
  /** The workloads of its database members, the one that clients speak to first. */
  readonly databases: readonly string[];
  /** Parts that doctor must name besides. */
  readonly parts: readonly RegExp[];
  /** What points the commands at a platform that does not answer. */
  readonly unreachable: Readonly<Record<string, string>>;
}

/** What every command does, wherever the stack runs. `tried` is asked when the tests run. */
export function claimCommands(tried: () => Tried): void {
  const operator = (): Operator => tried().operator;
  const status = async (): Promise<Status> => (await operator().json("status")).document;
  const leaderOf = async (workload: string): Promise<string> => {
    const group = (await status()).groups.find((each) => each.workload === workload);
    return group?.leader ?? "nobody";
  };
  const first = (): string => tried().databases[0] ?? "";
  /** What psql answers a superuser. */
  const sql = async (text: string, variables = {}, command = "psql"): Promise<string> =>
    (await operator().says(command, { args: ["-XAt"], variables: { SQL: text, ...variables } })).trim();

  test("doctor finds nothing wrong, as text and as JSON (S6)", async () => {
    const { databases, parts } = tried();
    // Members that have just come need a moment until they stream.
    const { document } = await eventually("doctor finds nothing wrong", 120_000, async () => {
      const found = await operator().json("doctor");
      expect((found.document.findings as Finding[]).filter(({ ok }) => !ok)).toEqual([]);
      expect(found.code).toBe(0);
      return found;
    });
    expect(document.ok).toBe(true);
    const findings: readonly Finding[] = document.findings;
    const named = findings.map(({ part }) => part);
    for (const database of databases) expect(named).toContain(`${database} leader`);
    for (const part of ["etcd", "disk", ...parts]) expect(named).toContainEqual(expect.stringMatching(part));
    const text = await operator().says("doctor");
    expect(text).toMatch(/^ok .*\n[^]*\nNothing is wrong\.\n$/);
  });

  test("status names members, leaders and endpoints (S6)", async () => {
    const { databases, stack } = tried();
    const { groups, members, endpoints, cluster } = await status();
    expect(cluster).toBe(stack.cluster);
    expect(groups.map(({ workload }) => workload)).toEqual(databases);
    for (const { leader, members: known } of groups) {
      expect(known.map(({ name }) => name)).toContain(leader);
      expect(members.map(({ name }) => name)).toEqual(expect.arrayContaining(known.map(({ name }) => name)));
    }
    expect(members.filter(({ readiness }) => readiness !== "ready")).toEqual([]);
    const text = await operator().says("status");
    for (const address of endpoints?.write ?? ["none"]) expect(text).toContain(address);
    for (const { name } of members) expect(text).toContain(name);
  });

  test("health is one line and an exit code (S6)", async () => {
    expect(await operator().says("health")).toMatch(/^ok \S+: \d+ members are ready; leaders?: .*\n$/);
    const { code, document } = await operator().json("health");
    expect({ code, ok: document.ok }).toEqual({ code: 0, ok: true });
  });

  test("a platform that does not answer is exit code 2, and no stack trace (S6)", async () => {
    const { unreachable, stack } = tried();
    const health = await operator().run("health", { variables: unreachable });
    expect(health).toMatchObject({ code: 2, stderr: "" });
    expect(health.stdout).toMatch(new RegExp(`^UNKNOWN ${stack.name}: .* cannot be reached: .*\n$`));
    for (const command of ["status", "psql", "test-replication"]) {
      const { code, stderr } = await operator().run(command, { variables: unreachable });
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/^\S+: .* cannot be reached: .*\n$/),
      });
    }
    const doctor = await operator().json("doctor", { variables: unreachable });
    expect(doctor).toMatchObject({ code: 2, document: { ok: false, findings: [{ ok: false }] } });
  });

  test("what is called wrongly is exit code 2 and says what may be said (S6)", async () => {
    const group = await operator().run("psql", { variables: { GROUP: "99" } });
    expect(group).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("has no group 99: GROUP is one of 0"),
    });
    const role = await operator().run("psql", { variables: { ROLE: "nobody" } });
    expect(role).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ROLE is "nobody": it must be one of app_readonly,'),
    });
    const limit = await operator().run("slow-queries", { variables: { LIMIT: "many" } });
    expect(limit).toMatchObject({
      code: 2,
      stderr: 'slow-queries: LIMIT is "many": it must be a whole number\n',
    });
    const stack = await operator().run("status", { variables: { STACK: "nowhere" } });
    expect(stack).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Pulumi.nowhere.yaml does not exist: set STACK"),
    });
    const member = await operator().run("logs", { variables: { MEMBER: "nobody" } });
    expect(member).toMatchObject({ code: 1, stderr: expect.stringContaining("has no matching members") });
  });

  test("ps says where members run, since when, and what memory they have (S6)", async () => {
    const members: readonly Process[] = (await operator().json("ps")).document.members;
    expect(members.length).toBeGreaterThan(5);
    for (const { node, startedAt, memory } of members) {
      expect(node).not.toBe("");
      expect(Date.parse(startedAt ?? "")).toBeLessThan(Date.now() + 60_000);
      expect(memory?.usedBytes).toBeGreaterThan(2 ** 20);
      expect(memory?.limitBytes).toBeGreaterThan(memory?.usedBytes ?? 0);
    }
    expect(await operator().says("ps", { variables: { WORKLOAD: "etcd" } })).toMatch(
      /^MEMBER +ON +STATE +UP +RESTARTS +MEMORY\n(\S+-etcd-\d +\S+ +ready +\d.* +\d+ +\d+ of \d+ MiB\n)+$/,
    );
  });

  test("logs are read of all members of a workload, or of one (S6)", async () => {
    const variables = { FOLLOW: "", TAIL: "2" };
    const etcd = (await operator().says("logs", { variables: { ...variables, WORKLOAD: "etcd" } }))
      .trim()
      .split("\n");
    const names = etcd.map((line) => line.split(" | ")[0] ?? "");
    const members = (await status()).members.filter(({ workload }) => workload === "etcd");
    expect([...new Set(names)].sort()).toEqual(members.map(({ name }) => name));
    for (const { name } of members)
      expect(names.filter((named) => named === name).length).toBeLessThanOrEqual(2);
    const [member = ""] = names;
    const one = await operator().says("logs", { variables: { ...variables, MEMBER: member } });
    expect(
      one
        .trim()
        .split("\n")
        .every((line) => line.startsWith(`${member} | `)),
    ).toBe(true);
  });

  test("exec runs a command in a member, and ends as it does (S6)", async () => {
    const { stack } = tried();
    const [member = ""] = (await status()).members.map(({ name }) => name);
    const run = (RUN: string, MEMBER = member) =>
      operator().run("exec", { variables: { MEMBER, RUN }, input: "given\n" });
    expect(await run("echo said; echo wrong >&2; cat; exit 7")).toEqual({
      code: 7,
      stdout: "said\ngiven\n",
      stderr: "wrong\n",
    });
    const none = await run("true", "nobody");
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`MEMBER is "nobody": it must be one of ${stack.cluster}-`),
    });
  });

  test("psql is a superuser's session on the leader; of a script it hands on the exit code (S6)", async () => {
    expect(await sql("SELECT current_user, pg_is_in_recovery(), current_database()")).toBe("postgres|f|app");
    expect(await sql("SELECT pg_is_in_recovery()", {}, "psql-replica")).toBe("t");
    const script = await operator().says("psql", { args: ["-XAt"], input: "SELECT 40 + 2;\nSELECT 'ä';\n" });
    expect(script).toBe("42\nä\n");
    const failed = await operator().run("psql", {
      args: ["-XAt"],
      input: "SELECT 1;\nSELECT 1/0;\nSELECT 3;\n",
    });
    expect(failed).toMatchObject({
      code: 3,
      stdout: "1\n",
      stderr: expect.stringContaining("division by zero"),
    });
    const large = await operator().says("psql", {
      args: ["-XAt"],
      variables: { SQL: "SELECT repeat('x', 3000000)" },
    });
    expect(large.length).toBe(3_000_001);
  });

  test("psql with ROLE goes through the endpoint, as applications do (S2, S6)", async () => {
    const who = "SELECT current_user, pg_is_in_recovery(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    expect(await sql(who, { ROLE: "app_readwrite" })).toBe("app_readwrite|f|t");
    expect(await sql(who, { ROLE: "app_readonly" }, "psql-replica")).toMatch(/^app_readonly\|[tf]\|t$/);
    const refused = await operator().run("psql", {
      variables: { ROLE: "app_readonly", SQL: "CREATE TABLE t ()" },
    });
    expect(refused.code).toBe(1);
  });

  test("psql has a terminal: prompts, its size, and Ctrl-C ends the statement and not the session (S6)", async () => {
    const { code, stdout } = await operator().types("psql", [
      // Docker's client sets the size after the program's start.
      ["app=#", "\\! for try in $(seq 100); do stty size | grep -v '^0 0$' && break; sleep 0.1; done\n"],
      // It tells when it has begun.
      ["40 132", "DO $$ BEGIN RAISE NOTICE 'be%', 'gun'; PERFORM pg_sleep(300); END $$;\n"],
      ["begun", "\u0003"],
      ["canceling statement due to user request", "SELECT 40 + 2 AS answer;\n"],
      ["42", "\\q\n"],
    ]);
    expect(stdout).toContain("40 132");
    expect(stdout).toMatch(/canceling statement due to user request[^]* 42/);
    expect(code).toBe(0);
  });

  test("test-replication finds what it wrote on every replica (S6, H5)", async () => {
    const { code, document } = await operator().json("test-replication");
    expect({ code, ok: document.ok }).toEqual({ code: 0, ok: true });
    expect(document.groups).toHaveLength(tried().databases.length);
    for (const { replicas } of document.groups as { replicas: { milliseconds: number | null }[] }[]) {
      expect(replicas.length).toBeGreaterThan(0);
      for (const { milliseconds } of replicas) expect(milliseconds).toBeLessThan(10_000);
    }
    expect(await operator().says("test-replication")).toMatch(
      /is the leader and wrote a message at [0-9A-F]+\/[0-9A-F]+\n.* has replayed it/,
    );
  });

  test("test-slow-query is found in the log and in the statistics, and reset-stats takes it out of them (S6)", async () => {
    const { code, document } = await operator().json("test-slow-query");
    expect({ code, statistics: document.statistics }).toEqual({ code: 0, statistics: true });
    expect(document.logged).toBeGreaterThan(100);
    const listed = async (): Promise<{
      logged: { member: string; statement: string }[];
      summed: { statements: { query: string }[] };
    }> => (await operator().json("slow-queries", { variables: { LIMIT: "1000" } })).document;
    const before = await listed();
    expect(before.logged).toContainEqual(
      expect.objectContaining({
        member: document.member,
        statement: expect.stringContaining("test_slow_query"),
      }),
    );
    const summed = ({ summed: { statements } }: typeof before): readonly object[] =>
      statements.filter(({ query }) => query.includes("AS test_slow_query"));
    expect(summed(before)).toHaveLength(1);

    const unanswered = await operator().run("reset-stats");
    expect(unanswered).toMatchObject({ code: 1, stdout: expect.stringContaining("Nothing was reset.") });
    expect(await operator().run("reset-stats", { variables: { CONFIRM: "another" } })).toMatchObject({
      code: 1,
    });
    expect(summed(await listed())).toHaveLength(1);
    const confirmed = await operator().json("reset-stats", { variables: { CONFIRM: tried().stack.cluster } });
    expect(confirmed).toEqual({ code: 0, document: { member: document.member, reset: true } });
    expect(summed(await listed())).toEqual([]);
    expect(await operator().says("slow-queries")).toMatch(/^Statements that took longer[^]*\nTotals since/);
  });

  test("switchover hands over, to whom TO names; a name that is none is refused (S6)", async () => {
    const group = (await status()).groups[0];
    const to =
      group?.members.find(({ name, state }) => name !== group.leader && state === "streaming")?.name ?? "";
    const { code, document } = await operator().json("switchover", { variables: { TO: to } });
    expect({ code, document }).toEqual({ code: 0, document: { from: group?.leader, to } });
    expect(await leaderOf(first())).toBe(to);
    const refused = await operator().run("switchover", { variables: { TO: "nobody" } });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("nobody") });
    expect(await leaderOf(first())).toBe(to);
  });

  test("reconnect makes every pool renew its server connections (S6)", async () => {
    const pools = (await status()).members.filter(({ workload }) => workload.startsWith("pool-"));
    expect(pools.length).toBeGreaterThan(1);
    const said = await operator().says("reconnect");
    for (const { name } of pools) expect(said).toContain(`${name} renews its server connections`);
  });

  test("restart restarts PostgreSQL in every member of a group (D5, S6)", async () => {
    const started = async (): Promise<string> => sql("SELECT pg_postmaster_start_time()");
    const replica = async (): Promise<string> => sql("SELECT pg_postmaster_start_time()", {}, "psql-replica");
    await operator().says("restart", { variables: { GROUP: "0" } });
    const [leader, other] = [await started(), await replica()];
    await operator().says("restart", { variables: { GROUP: "0" } });
    expect(Date.parse(await started())).toBeGreaterThan(Date.parse(leader));
    expect(Date.parse(await replica())).toBeGreaterThan(Date.parse(other));
  });
}
