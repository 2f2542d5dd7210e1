import {
  patroniLeaderProvider,
  type PatroniLeaderInputs,
} from "../../components/resources/patroni/leader-provider";
import { patroniMembershipProvider } from "../../components/resources/patroni/membership-provider";
import { patroniConfigurationProvider } from "../../components/resources/patroni/provider";
import type { PatroniConfigurationInputs } from "../../components/resources/patroni/provider";
import { withPatroni } from "../../components/resources/patroni/rest";
import { readStatus } from "../../components/resources/patroni/status";
import { switchover } from "../../components/resources/patroni/switchover";
import { replicationCheckProvider } from "../../components/resources/sql/replication-check/provider";
import type {
  ReplicationCheckInputs,
  ReplicationCheckOutputs,
} from "../../components/resources/sql/replication-check/provider";
import { withSession } from "../../components/resources/sql/session";
import { stopMemberStatement } from "../../components/resources/sql/worker-groups/statements";
import { dynamicConfiguration } from "../../config-files/patroni/patroni";
import { resolveParameters } from "../../config-files/postgres/parameters";
import { startPatroni } from "../support/patroni";
import type { PatroniTrial } from "../support/patroni";
import { describeWithDocker } from "../support/postgres";
import { served } from "../support/served";

jest.setTimeout(300_000);

const dynamic = (parameters: Record<string, string | number> = {}) =>
  dynamicConfiguration({
    synchronous: "quorum",
    synchronousReplicas: 1,
    timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
    parameters: resolveParameters({ max_connections: 50, ...parameters }, { memoryMiB: 256 }).parameters,
  });

describeWithDocker("dynamic configuration and replication of a real Patroni cluster", () => {
  let trial: PatroniTrial;
  const configurationInputs = (
    parameters: Record<string, string | number> = {},
  ): PatroniConfigurationInputs => {
    const { password, ...rest } = trial.rest;
    return {
      rest,
      password,
      configuration: JSON.stringify(dynamic(parameters)),
      deadlineSeconds: 90,
      restartSeconds: 120,
      providerVersion: 1,
    };
  };
  const checkInputs = (change: Partial<ReplicationCheckInputs> = {}): ReplicationCheckInputs => {
    const { password, ...target } = trial.target;
    const { members, ca } = trial.rest;
    return {
      ...{
        target,
        password,
        rest: { members, ca },
        members: 3,
        synchronousReplicas: 1,
        maximumLagBytes: 16_777_216,
      },
      ...{ deadlineSeconds: 90, providerVersion: 1 },
      ...change,
    };
  };
  const started = async (): Promise<Record<string, string>> => {
    const times = trial.members.map(async (name) => {
      const rows = await withSession({ ...trial.target, role: name }, (session) =>
        session.query<{ t: string }>("SELECT pg_postmaster_start_time()::text AS t"),
      );
      return [name, rows[0]!.t] as const;
    });
    return Object.fromEntries(await Promise.all(times));
  };
  const show = (setting: string) =>
    Promise.all(
      trial.members.map(async (name) => {
        const rows = await withSession({ ...trial.target, role: name }, (session) =>
          session.query<Record<string, string>>(`SHOW ${setting}`),
        );
        return rows[0]![setting];
      }),
    );
  const leader = async () => (await withPatroni(trial.rest, (rest) => readStatus(rest))).leader!;

  let led: PatroniLeaderInputs;
  let writable: boolean | undefined;
  let seen: ReplicationCheckOutputs;
  let inputs: PatroniConfigurationInputs;

  beforeAll(async () => {
    trial = await startPatroni(`prov-trial-${process.pid}`, 3, dynamic());
    const { members, ca } = trial.rest;
    const leader = served(patroniLeaderProvider).provider;
    led = (await leader.create({ rest: { members, ca }, deadlineSeconds: 90, providerVersion: 1 })).outs!;
    // At once: what depends on the leader would otherwise fail, or wait by itself.
    const once = { deadlineSeconds: 0 };
    const [row] = await withSession(
      trial.target,
      (s) => s.query<{ writable: boolean }>("SELECT NOT pg_is_in_recovery() AS writable"),
      once,
    );
    writable = row?.writable;
    // Everything else would only wait for it again.
    const { provider } = served(replicationCheckProvider);
    seen = (await provider.create(checkInputs())).outs as ReplicationCheckOutputs;
  });
  afterAll(() => trial.remove());

  it("asks a member to stop by a statement that does not depend on who is quicker (D4)", async () => {
    const statement = stopMemberStatement();
    expect(statement).toContain("kill -TERM 1");
    await withSession(trial.target, async (session) => {
      // One in seven fails where the program ends before it has read what the server writes.
      for (let i = 0; i < 300; i++) await session.query(statement.replace("kill -TERM 1", "true"));
    });
  });

  it("says that there is a leader once it takes sessions of the superuser, and finds it again", async () => {
    expect(writable).toBe(true);
    const { provider } = served(patroniLeaderProvider);
    expect(await provider.read("leader", led)).toEqual({ id: "leader", props: led });
  });

  it("tells what it saw, and sees the same again", async () => {
    const { provider } = served(replicationCheckProvider);
    expect(
      seen.seen.members.map((member) => [member.name, member.role, member.state, member.syncState]),
    ).toEqual(
      trial.members.map((name) =>
        name === seen.seen.leader
          ? [name, "leader", "running", ""]
          : [name, "replica", "streaming", "quorum"],
      ),
    );
    expect(await provider.diff("replication", seen, checkInputs())).toEqual({ changes: false, replaces: [] });
  });

  it("changes nothing in a cluster that has the declared configuration", async () => {
    const { provider, printed } = served(patroniConfigurationProvider);
    inputs = configurationInputs();
    await provider.create(inputs);
    expect(await provider.diff("configuration", inputs, inputs)).toEqual({ changes: false, replaces: [] });
    expect(printed).toEqual([]);
  });

  it("restarts nothing for a setting that needs a reload", async () => {
    const { provider, printed } = served(patroniConfigurationProvider);
    const before = await started();
    const news = configurationInputs({ deadlock_timeout: "2s" });
    expect((await provider.diff("configuration", inputs, news)).changes).toBe(true);
    await provider.update("configuration", inputs, news);
    inputs = news;
    expect(await show("deadlock_timeout")).toEqual(["2s", "2s", "2s"]);
    expect(await started()).toEqual(before);
    expect(printed.filter((line) => !line.startsWith("waiting"))).toEqual([
      "Patroni: postgresql.parameters.deadlock_timeout = 2s",
    ]);
  });

  it("restarts replicas first and the leader last, after a switchover", async () => {
    const { provider, printed } = served(patroniConfigurationProvider);
    const old = await leader();
    const replicas = trial.members.filter((name) => name !== old);
    const news = configurationInputs({ max_connections: 60, deadlock_timeout: "2s" });
    await provider.update("configuration", inputs, news);
    inputs = news;
    expect(await show("max_connections")).toEqual(["60", "60", "60"]);
    const now = await leader();
    expect(now).not.toBe(old);
    expect(printed.filter((line) => !line.startsWith("waiting"))).toEqual([
      "Patroni: postgresql.parameters.max_connections = 60",
      ...replicas.map((name) => `Patroni: restart ${name} (max_connections 50 -> 60)`),
      `Patroni: switchover from ${old}, after its replicas have been restarted`,
    ]);
    expect(await provider.diff("configuration", inputs, inputs)).toEqual({ changes: false, replaces: [] });
  });

  it("lowers a setting that a standby must not have below its primary", async () => {
    const { provider, printed } = served(patroniConfigurationProvider);
    const old = await leader();
    const news = configurationInputs({ max_connections: 40, deadlock_timeout: "2s" });
    await provider.update("configuration", inputs, news);
    inputs = news;
    expect(await show("max_connections")).toEqual(["40", "40", "40"]);
    expect(await leader()).toBe(old);
    expect(printed.filter((line) => line.includes("restart"))[0]).toBe(
      `Patroni: restart ${old} (max_connections 60 -> 40)`,
    );
  });

  it("removes a key that is no longer declared, and leaves keys alone that were never ours", async () => {
    const { provider } = served(patroniConfigurationProvider);
    await withPatroni(trial.rest, (rest) => {
      const body = { postgresql: { parameters: { vacuum_cost_limit: 300 } } };
      return rest.send(trial.members[0]!, { method: "PATCH", path: "/config", body });
    });
    const news = configurationInputs({ max_connections: 40 });
    await provider.update("configuration", inputs, news);
    inputs = news;
    expect(await show("deadlock_timeout")).toEqual(["1s", "1s", "1s"]);
    const live = await withPatroni(trial.rest, (rest) => rest.sendToAny({ method: "GET", path: "/config" }));
    expect((live.json as { postgresql: { parameters: object } }).postgresql.parameters).toMatchObject({
      vacuum_cost_limit: 300,
    });
  });

  it("notices in a preview what somebody else changed", async () => {
    const { provider, printed } = served(patroniConfigurationProvider);
    await withPatroni(trial.rest, (rest) =>
      rest.send(trial.members[0]!, { method: "PATCH", path: "/config", body: { ttl: 30 } }),
    );
    // The member that is asked may take a cycle to know.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await provider.diff("configuration", inputs, inputs)).toEqual({ changes: true, replaces: [] });
    expect(printed).toEqual(["Patroni's configuration differs from the declaration: ttl = 20"]);
    await provider.update("configuration", inputs, inputs);
  });

  it("refuses unsafe requests without the right password", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const wrong = { ...configurationInputs({ deadlock_timeout: "3s" }), password: "wrong" };
    await expect(provider.update("configuration", inputs, wrong)).rejects.toThrow(
      "rejects the REST API's user name or password",
    );
  });

  it("takes a password that members do not know yet by the former one, and waits for it where there is none (F9)", async () => {
    const { provider } = served(patroniMembershipProvider);
    const { password, ...rest } = trial.rest;
    const membership = { rest, password, synchronousReplicas: 1, deadlineSeconds: 2, providerVersion: 1 };
    const unknown = { ...membership, password: "not there yet" };
    const { outs } = await provider.update("membership", { ...membership, drift: [] }, unknown);
    expect(outs).toMatchObject({ drift: [] });
    await expect(provider.create(unknown)).rejects.toThrow(
      "Patroni accepts the REST API's password: timed out after 2 s. Last seen: Patroni rejects",
    );
  });

  it("sees a switchover as a change of the picture", async () => {
    const { provider, printed } = served(replicationCheckProvider);
    seen = (await provider.update("replication", seen, checkInputs())).outs as ReplicationCheckOutputs;
    const { from, to } = await withPatroni(trial.rest, (rest) => switchover(rest));
    expect(from).toBe(seen.seen.leader);
    const news = checkInputs();
    const now = (await provider.update("replication", seen, news)).outs as ReplicationCheckOutputs;
    expect(now.seen.leader).toBe(to);
    expect(await provider.diff("replication", seen, news)).toEqual({ changes: true, replaces: [] });
    expect(printed).toContain(`replication: the leader was ${from} and is ${to}`);
    seen = now;
  });

  it("fails with the list of everything that is wrong", async () => {
    const { provider } = served(replicationCheckProvider);
    const replica = trial.members.find((name) => name !== seen.seen.leader)!;
    trial.docker("stop", replica);
    const failing = provider.update(
      "replication",
      seen,
      checkInputs({ deadlineSeconds: 8, synchronousReplicas: 2 }),
    );
    const message = await failing.then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
    expect(message).toContain("replication still differs from the declaration after 8 s:\n");
    expect(message).toContain(
      `  - ${replica}: its REST API does not answer: container ${replica} is not running (exited)`,
    );
    expect(message).toContain(`  - ${replica} is not connected to the leader`);
    expect(message).toContain("  - 1 synchronous replica(s) instead of at least 2");
    expect((await provider.diff("replication", seen, checkInputs())).changes).toBe(true);
    trial.docker("start", replica);
  });
});
