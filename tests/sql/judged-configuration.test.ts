import {
  patroniBeforehandProvider,
  type PatroniBeforehandInputs,
} from "../../components/resources/patroni/beforehand-provider";
import {
  patroniConfigurationProvider,
  type PatroniConfigurationInputs,
} from "../../components/resources/patroni/provider";
import { withPatroni } from "../../components/resources/patroni/rest";
import { readStatus } from "../../components/resources/patroni/status";
import { withSession } from "../../components/resources/sql/session";
import { dynamicConfiguration } from "../../config-files/patroni/patroni";
import { resolveParameters } from "../../config-files/postgres/parameters";
import { startPatroni, type PatroniTrial } from "../support/patroni";
import { describeWithDocker } from "../support/postgres";
import { served } from "../support/served";

jest.setTimeout(300_000);

type Parameters = Readonly<Record<string, string>>;
const dynamic = (parameters: Parameters = {}) =>
  dynamicConfiguration({
    synchronous: "quorum",
    synchronousReplicas: 1,
    timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
    parameters: {
      ...resolveParameters({ max_connections: 50 }, { memoryMiB: 256 }).parameters,
      ...parameters,
    },
  });

describeWithDocker("a configuration that PostgreSQL judges, on a running group of two (S3, H1)", () => {
  let trial: PatroniTrial;
  const inputs = (parameters: Parameters = {}, more: object = {}): PatroniConfigurationInputs => {
    const { password, ...rest } = trial.rest;
    const group = {
      extensions: [],
      database: "postgres",
      librariesBefore: [],
      image: "1",
      section: "patroni",
    };
    return {
      ...{ rest, password, configuration: JSON.stringify(dynamic(parameters)) },
      group: { ...group, ...more },
      ...{ deadlineSeconds: 90, restartSeconds: 120, providerVersion: 1 },
    };
  };
  const beforehand = (of: PatroniConfigurationInputs): PatroniBeforehandInputs => {
    const { group, ...others } = of;
    return { ...others, group: group! };
  };
  const live = () =>
    withPatroni(trial.rest, async (rest) => {
      const { json } = await rest.sendToAny({ method: "GET", path: "/config" });
      return (json as { postgresql: { parameters: Parameters } }).postgresql.parameters;
    });
  /** As another program, or a run that was killed, may leave it: nobody is asked. */
  const write = (parameters: Readonly<Record<string, string | null>>) =>
    withPatroni(trial.rest, (rest) =>
      rest.sendToAny({ method: "PATCH", path: "/config", body: { postgresql: { parameters } } }),
    );
  const status = () => withPatroni(trial.rest, (rest) => readStatus(rest));
  const until = async (what: string, holds: () => Promise<boolean>, seconds = 90): Promise<void> => {
    for (const end = Date.now() + seconds * 1000; !(await holds().catch(() => false));) {
      if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };
  const whole = () =>
    until("both members are well", async () => {
      const { leader, members } = await status();
      return members.every(
        ({ name, state, streaming }) => state === "running" && (name === leader || streaming),
      );
    });
  const show = (member: string, name: string) =>
    withSession({ ...trial.target, role: member }, async (session) => {
      const [row] = await session.query<{ reset_val: string }>(
        `SELECT reset_val FROM pg_catalog.pg_settings WHERE name = '${name}'`,
      );
      return row?.reset_val;
    });

  beforeAll(async () => {
    trial = await startPatroni("pg-test-judged", 2, dynamic());
    await until("the group has a leader", async () => (await status()).leader !== undefined);
    await whole();
  });
  afterAll(() => trial.remove());

  it("refuses in a preview, and in an update, what only the server can judge, and writes nothing", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const bad = { TimeZone: "Europe/Brelin", session_preload_libraries: "auto_explian" };
    const before = await live();
    const { failures = [] } = await provider.check(inputs(), inputs(bad, { extensions: ["vectr"] }));
    expect(failures).toHaveLength(1);
    const lines = [
      'patroni.parameters.TimeZone = Europe/Brelin: PostgreSQL rejects it: LOG: invalid value for parameter "TimeZone": "Europe/Brelin"',
      'patroni.parameters.session_preload_libraries = auto_explian: PostgreSQL rejects it: ERROR: could not access file "auto_explian"',
    ];
    for (const line of lines) expect(failures[0]!.reason).toContain(line);
    expect(failures[0]!.reason).toContain(
      'patroni.extensions = vectr: PostgreSQL rejects it: ERROR: extension "vectr"',
    );
    // Another image may have them: only what no image would take is refused.
    const other = await provider.check(inputs(), inputs(bad, { image: "2", extensions: ["vectr"] }));
    expect(other.failures![0]!.reason).toContain(lines[0]);
    expect(other.failures![0]!.reason).not.toContain("auto_explian: PostgreSQL refuses");
    await expect(provider.update("configuration", inputs(), inputs(bad))).rejects.toThrow(lines[1]);
    expect(await live()).toEqual(before);
    expect((await provider.check(inputs(), inputs({ work_mem: "5MB" }))).failures).toEqual([]);
  });

  it("refuses in a preview, also with another image, that a library goes whose extension is still there", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const without = () => provider.check(inputs(), inputs({ shared_preload_libraries: "" }, { image: "2" }));
    expect((await without()).failures).toEqual([]);
    // As pgaudit has them: an extension's event trigger whose function is the library's. This one is never called.
    await withSession(trial.target, (session) =>
      session.query(`
        CREATE FUNCTION audited() RETURNS event_trigger LANGUAGE c AS '$libdir/pg_stat_statements', 'pg_stat_statements_reset';
        CREATE EVENT TRIGGER audited ON table_rewrite EXECUTE FUNCTION audited();
        ALTER EXTENSION plpgsql ADD EVENT TRIGGER audited`),
    );
    try {
      const { failures } = await without();
      expect(failures![0]!.reason).toContain(
        "without pg_stat_statements every schema change would fail while its extension exists\n    DROP EXTENSION plpgsql first",
      );
    } finally {
      await withSession(trial.target, (session) =>
        session.query(
          "ALTER EXTENSION plpgsql DROP EVENT TRIGGER audited; DROP EVENT TRIGGER audited; DROP FUNCTION audited()",
        ),
      );
    }
  });

  it("goes on where the servers' parameters would stop its own sessions: they say at login what they need", async () => {
    const hostile = {
      default_transaction_isolation: "serializable",
      default_transaction_read_only: "on",
      session_preload_libraries: "auto_explian",
      statement_timeout: "1ms",
      search_path: "nowhere",
    };
    await write(hostile);
    for (const member of trial.members)
      await until(`${member} has it`, async () =>
        trial
          .docker(
            "exec",
            member,
            "grep",
            "default_transaction_isolation",
            "/var/lib/postgresql/data/postgresql.conf",
          )
          .includes("serializable"),
      );
    const { leader: from } = await status();
    // A new Patroni has new sessions.
    trial.docker("restart", "--time", "60", from!);
    await until("the other one leads", async () => {
      const { leader } = await status();
      return leader !== undefined && leader !== from;
    });
    await whole();
    await withSession(trial.target, (session) =>
      session.query("CREATE TABLE pinned (n int); DROP TABLE pinned"),
    );
    const { provider } = served(patroniConfigurationProvider);
    await provider.update("configuration", inputs(hostile), inputs());
    expect(Object.keys(await live()).filter((name) => name in hostile)).toEqual([]);
  });

  it("writes the cure before it waits for the member that needs it", async () => {
    const { leader } = await status();
    const replica = trial.members.find((name) => name !== leader)!;
    await write({ TimeZone: "Mars/Olympus", shared_preload_libraries: "pg_stat_statements,pg_corn" });
    await until("the files have it", async () =>
      trial
        .docker("exec", replica, "cat", "/var/lib/postgresql/data/postgresql.conf")
        .includes("Mars/Olympus"),
    );
    const applied = JSON.parse(trial.docker("exec", leader!, "postgres-judge", "--applied")) as {
      said: string;
      waits: boolean;
    }[];
    expect(applied.map(({ said }) => said).join()).toContain("Mars/Olympus");
    // The libraries wait for a restart.
    expect(applied.map(({ waits }) => waits)).not.toContain(false);
    trial.docker("restart", "--time", "60", replica);
    await until("its PostgreSQL does not start", async () => {
      const { members } = await status();
      return members.some(({ name, state }) => name === replica && state === "start failed");
    });
    const { provider } = served(patroniBeforehandProvider);
    await provider.update("beforehand", beforehand(inputs()), beforehand(inputs()));
    await whole();
    expect(await show(replica, "TimeZone")).toBe("UTC");
  });

  it("takes a change back with which a member does not start, and tells what its server said", async () => {
    const { leader } = await status();
    const before = await live();
    // The replica, which is asked and restarted first, has it.
    const library = "/usr/lib/postgresql/17/lib/auto_explain.so";
    trial.docker("exec", "--user", "0", leader!, "mv", library, `${library}.away`);
    const { provider } = served(patroniConfigurationProvider);
    const added = inputs({ shared_preload_libraries: "pg_stat_statements,auto_explain" });
    const tried = provider.update("configuration", inputs(), added);
    await expect(tried).rejects.toThrow(
      new RegExp(
        `PostgreSQL of ${leader!} does not start: FATAL: could not access file "auto_explain": No such file or directory` +
          "[^]*The change was reverted, and every member is healthy with the previous configuration",
      ),
    );
    trial.docker("exec", "--user", "0", leader!, "mv", `${library}.away`, library);
    expect(await live()).toEqual(before);
    await whole();
    for (const member of trial.members)
      expect(await show(member, "shared_preload_libraries")).toBe("pg_stat_statements");
  });

  it("takes a library out of the configuration without a restart, before an image is without it", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const added = inputs({ shared_preload_libraries: "pg_stat_statements,auto_explain" });
    await provider.update("configuration", inputs(), added);
    for (const member of trial.members)
      expect(await show(member, "shared_preload_libraries")).toBe("pg_stat_statements,auto_explain");
    const early = served(patroniBeforehandProvider).provider;
    await early.update("beforehand", beforehand(added), beforehand(inputs({ work_mem: "7MB" })));
    expect(await live()).toMatchObject({ shared_preload_libraries: "pg_stat_statements" });
    expect((await live())["work_mem"]).not.toBe("7MB");
    await until("both wait for a restart", async () =>
      (await status()).members.every(({ pendingRestart }) => pendingRestart !== undefined),
    );
    await provider.update("configuration", added, inputs());
  });
});
