import type { DatabaseContribution } from "../../components/guests/contribution";
import { POOLS } from "../../components/pools-guest";
import { resolvePatroniGroup } from "../../components/patroni-group-args";
import { patroniLeaderProvider } from "../../components/resources/patroni/leader-provider";
import { switchover } from "../../components/resources/patroni/switchover";
import { withPatroni } from "../../components/resources/patroni/rest";
import { readStatus } from "../../components/resources/patroni/status";
import { databaseProvider } from "../../components/resources/sql/database/provider";
import { rolesProvider } from "../../components/resources/sql/roles/provider";
import { withSession } from "../../components/resources/sql/session";
import { dynamicConfiguration } from "../../config-files/patroni/patroni";
import { dockerMeanwhile, logOf } from "../support/docker";
import { type PatroniTrial, startPatroni } from "../support/patroni";
import { describeWithDocker } from "../support/postgres";
import { served } from "../support/served";
import { eventually } from "../support/stack";

jest.setTimeout(180_000);

/** Logs in over the socket as its role once a second, and writes what it saw; grows when it is told to. */
const PROGRAM = `
import os, signal, sys, time
from contextlib import closing
import psycopg2
ballast = []
signal.signal(signal.SIGUSR1, lambda *_: ballast.append(bytearray(os.urandom(1)) * (200 << 20)))
open("/run/probe/started", "a").write(f"{os.getpid()}\\n")
while True:
    try:
        with closing(psycopg2.connect(host="/run/postgresql", user="probe", dbname="postgres")) as session, session.cursor() as cursor:
            cursor.execute("SELECT current_user, pg_has_role('pg_monitor', 'member')")
            with open("/run/probe/seen.new", "w") as file:
                file.write(" ".join(map(str, cursor.fetchone())))
            os.rename("/run/probe/seen.new", "/run/probe/seen")
    except psycopg2.Error as error:
        print(f"probe: {error}", file=sys.stderr)
    time.sleep(0.2)
`;
const PROBE: DatabaseContribution = {
  guest: "probe",
  files: { "/etc/probe": { files: { "probe.py": PROGRAM }, onChange: "reload" } },
  scratch: ["/run/probe"],
  parameters: {
    max_worker_processes: { atLeast: 11, why: "the test looks for it" },
    log_temp_files: { default: "7MB" },
  },
  libraries: ["auto_explain"],
  roles: [{ name: "probe", memberOf: ["pg_monitor"], connections: 2 }],
  access: [{ role: "probe", by: "socket" }],
  functions: [
    {
      ...{ schema: "probe", name: "secrets", arguments: "", returns: "bigint", executeBy: "probe" },
      body: "SELECT count(*) FROM pg_catalog.pg_authid WHERE rolpassword IS NOT NULL",
    },
  ],
  slots: { probe_slot: { type: "physical" } },
  companions: [{ name: "probe", command: ["/usr/bin/python3", "/etc/probe/probe.py"], memoryMiB: 120 }],
  hooks: [
    {
      event: "pre_promote",
      command: ["sh", "-c", "echo promotes >> /run/probe/hooks; exit 7"],
      timeoutSeconds: 5,
    },
    {
      event: "on_role_change",
      command: ["sh", "-c", 'echo "$@" >> /run/probe/hooks', "sh"],
      timeoutSeconds: 5,
    },
  ],
};
const GUESTS = [POOLS, PROBE];

describeWithDocker(
  "a database with a guest: a companion, its role, its hooks (docs/architecture.md, Guests)",
  () => {
    let trial: PatroniTrial;
    const { value, problems } = resolvePatroniGroup(
      { scope: "trial", members: 2, memory: "256Mi" },
      "patroni",
      { guests: GUESTS },
    );
    const inMember = (member: string, ...command: string[]): Promise<string> =>
      dockerMeanwhile("exec", member, ...command);
    const member = (i: number): string => trial.members[i]!;
    const leader = async (): Promise<string> => {
      const status = await withPatroni(trial.rest, (rest) => readStatus(rest));
      return status.leader ?? "";
    };
    const postmaster = (name: string): Promise<string> =>
      inMember(name, "head", "-1", "/var/lib/postgresql/data/postmaster.pid");
    const companion = async (name: string): Promise<string> => {
      const started = await inMember(name, "cat", "/run/probe/started");
      return started.split("\n").at(-1) ?? "";
    };
    const restarted = (name: string, before: string): Promise<void> =>
      eventually(`the companion of ${name} runs again`, 60_000, async () => {
        const now = await companion(name);
        expect(now).not.toBe(before);
        await inMember(name, "test", "-d", `/proc/${now}`);
      });
    const sees = (name: string): Promise<string> =>
      eventually(`the companion of ${name} logs in`, 60_000, () => inMember(name, "cat", "/run/probe/seen"));

    beforeAll(async () => {
      expect(problems).toEqual([]);
      trial = await startPatroni(
        `guests-${process.pid}`,
        2,
        dynamicConfiguration({ ...value, guests: GUESTS }),
        GUESTS,
      );
      const { members, ca } = trial.rest;
      const { provider } = served(patroniLeaderProvider);
      await provider.create({ rest: { members, ca }, deadlineSeconds: 120, providerVersion: 1 });
      const { password, ...session } = trial.target;
      const common = { target: session, password, deadlineSeconds: 120, providerVersion: 1 };
      const role = {
        connectionLimit: -1,
        createDatabase: false,
        createRole: false,
        memberOf: [],
        settings: {},
      };
      await served(rolesProvider).provider.create({
        ...common,
        roles: [
          { ...role, name: "dpg_cluster", login: false },
          { ...role, name: "probe", login: true, memberOf: ["pg_monitor"], connectionLimit: 2 },
        ],
        passwords: {},
        onRemoval: "disable-login",
      });
      await served(databaseProvider).provider.create({
        ...{ ...common, name: "app", owner: "dpg_cluster", extensions: [] },
        ...{ access: { readWrite: [], readOnly: [] }, connect: ["probe"], functions: PROBE.functions },
      });
      await eventually("both members stream", 120_000, async () => {
        const status = await withPatroni(trial.rest, (rest) => readStatus(rest));
        expect(status.members.filter(({ state }) => state === "running")).toHaveLength(2);
      });
    });
    afterAll(() => trial.remove());

    test("the companion runs in every member, and logs in over the socket as its own role, without a password", async () => {
      expect(await sees(member(0))).toBe("probe True");
      expect(await sees(member(1))).toBe("probe True");
    });

    test("nobody else becomes it over the socket, and it becomes nobody else", async () => {
      const as = (role: string): Promise<string> =>
        inMember(
          member(0),
          "psql",
          "-h",
          "/run/postgresql",
          "-U",
          role,
          "-d",
          "app",
          "-Atc",
          "SELECT probe.secrets() >= 0",
        );
      expect(await as("probe")).toBe("t");
      await expect(as("dpg_cluster")).rejects.toThrow(/rejects connection|no pg_hba.conf entry/);
    });

    test("parameters are merged: a library, a minimum and a default are there", async () => {
      const shown = await withSession(trial.target, (session) =>
        session.query(
          "SELECT current_setting('max_worker_processes') AS workers, current_setting('log_temp_files') AS temp, current_setting('shared_preload_libraries') AS libraries",
        ),
      );
      expect(shown).toEqual([{ workers: "11", temp: "7MB", libraries: "pg_stat_statements,auto_explain" }]);
    });

    test("its permanent slot is there", async () => {
      await eventually("Patroni has made the slot", 60_000, async () => {
        const slots = await withSession(trial.target, (session) =>
          session.query("SELECT slot_type FROM pg_replication_slots WHERE slot_name = 'probe_slot'"),
        );
        expect(slots).toEqual([{ slot_type: "physical" }]);
      });
    });

    test("it has its OOM score and its place behind the program", async () => {
      const pid = await companion(member(0));
      expect(await inMember(member(0), "cat", `/proc/${pid}/oom_score_adj`)).toBe("500");
      expect(await inMember(member(0), "cut", "-d ", "-f19", `/proc/${pid}/stat`)).toBe("10");
    });

    test("its end does not end the program: it is started again, PostgreSQL goes on", async () => {
      const [before, postgres] = [await companion(member(0)), await postmaster(member(0))];
      await inMember(member(0), "kill", "-9", before);
      await restarted(member(0), before);
      expect(await postmaster(member(0))).toBe(postgres);
    });

    test("with more memory than its own it is ended and started again, PostgreSQL goes on", async () => {
      const [before, postgres] = [await companion(member(0)), await postmaster(member(0))];
      await inMember(member(0), "kill", "-USR1", before);
      await restarted(member(0), before);
      expect(logOf(member(0))).toMatch(/probe.* MiB/);
      expect(await postmaster(member(0))).toBe(postgres);
    });

    test("a hook that fails keeps no promotion from happening, and hooks run on the events that they name", async () => {
      const from = await leader();
      const to = trial.members.find((name) => name !== from)!;
      await inMember(to, "rm", "-f", "/run/probe/hooks");
      await withPatroni(trial.rest, (rest) =>
        switchover(rest, { from, candidate: to, deadlineSeconds: 120 }),
      );
      await eventually(`${to} leads, and its hooks have run`, 120_000, async () => {
        expect(await leader()).toBe(to);
        expect(await inMember(to, "cat", "/run/probe/hooks")).toBe("promotes\non_role_change primary trial");
      });
      expect(logOf(to)).toMatch(/pre_promote of probe .* ended with exit code 7 .* pre_promote continues/);
    });

    test("a fence ends the companion with everything else, and both come again", async () => {
      const name = trial.members.find((each) => each !== trial.members[0])!;
      const before = await companion(name);
      const patroni = await inMember(name, "cat", "/run/patroni/pid");
      await inMember(name, "kill", "-9", patroni);
      await restarted(name, before);
      expect(await inMember(name, "cat", "/run/patroni/pid")).not.toBe(patroni);
      expect(logOf(name)).toContain("unexpectedly: killing everything else");
    });
  },
);
