import { patroniConfigurationProvider } from "../../components/resources/patroni/provider";
import { restartAll } from "../../components/resources/patroni/restart";
import { withPatroni } from "../../components/resources/patroni/rest";
import { readStatus } from "../../components/resources/patroni/status";
import { withSession } from "../../components/resources/sql/session";
import { dynamicConfiguration } from "../../config-files/patroni/patroni";
import { resolveParameters } from "../../config-files/postgres/parameters";
import { logOf } from "../support/docker";
import type { PatroniTrial } from "../support/patroni";
import { startPatroni } from "../support/patroni";
import { describeWithDocker } from "../support/postgres";
import { served } from "../support/served";

jest.setTimeout(180_000);

const configuration = (maxConnections: number) =>
  dynamicConfiguration({
    synchronous: "quorum",
    synchronousReplicas: 1,
    timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
    parameters: resolveParameters({ max_connections: maxConnections }, { memoryMiB: 256 }).parameters,
  });

/** Where one replica is restarted, nobody is left to take over until it is counted again. */
describeWithDocker("a group of two members", () => {
  let trial: PatroniTrial;
  const status = () => withPatroni(trial.rest, (rest) => readStatus(rest));
  const show = (setting: string) =>
    Promise.all(
      trial.members.map(async (name) => {
        const rows = await withSession({ ...trial.target, role: name }, (session) =>
          session.query<Record<string, string>>(`SHOW ${setting}`),
        );
        return rows[0]?.[setting];
      }),
    );
  /** What Patroni refused, by its own log. */
  const refused = (): string[] =>
    trial.members.flatMap((name) =>
      logOf(name)
        .split("\n")
        .filter((line) => line.includes("switchover is not possible")),
    );

  beforeAll(async () => {
    trial = await startPatroni(`prov-two-${process.pid}`, 2, configuration(50));
  });
  afterAll(() => trial.remove());

  it("takes a parameter that needs a restart, leader last, in one go (D5)", async () => {
    const { password, ...rest } = trial.rest;
    const inputs = (maxConnections: number) => ({
      ...{ rest, password, deadlineSeconds: 90, restartSeconds: 90, providerVersion: 1 },
      configuration: JSON.stringify(configuration(maxConnections)),
    });
    const { provider } = served(patroniConfigurationProvider);
    await provider.create(inputs(50));
    for (const [before, after] of [
      [50, 60],
      [60, 70],
    ] as const) {
      const { leader } = await status();
      await provider.update("configuration", inputs(before), inputs(after));
      expect(await show("max_connections")).toEqual([`${after}`, `${after}`]);
      expect((await status()).leader).not.toBe(leader);
    }
    expect(refused()).toEqual([]);
  });

  it("is restarted by `make restart`, each member once (D5)", async () => {
    const started = async () => (await status()).members.map(({ startedAt }) => startedAt);
    const before = await started();
    await withPatroni(trial.rest, (rest) => restartAll(rest, { restartSeconds: 90 }));
    const after = await started();
    expect(after.filter((time, i) => time !== undefined && time !== before[i])).toHaveLength(2);
    expect(refused()).toEqual([]);
  });
});
