import { patroniConfigurationProvider } from "../../../../components/resources/patroni/provider";
import type { PatroniConfigurationInputs } from "../../../../components/resources/patroni/provider";
import { served } from "../../../support/served";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const inputs: PatroniConfigurationInputs = {
  rest: {
    members: [{ name: "pg-0", serverName: "pg-0", reach: { via: "tcp", host: "127.0.0.1", port: 1 } }],
    ca: "PEM",
    username: "patroni",
  },
  password: "secret",
  configuration: '{"ttl":20}',
  deadlineSeconds: 1,
  restartSeconds: 1,
  providerVersion: 1,
};

describe("the provider of PatroniConfiguration", () => {
  it("needs no cluster to see that its inputs are the same or others", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const diff = (change: object) => provider.diff("configuration", inputs, { ...inputs, ...change });
    expect(await diff({})).toEqual({ changes: false, replaces: [] });
    for (const change of [
      { configuration: '{"ttl":30}' },
      { configuration: UNKNOWN },
      { providerVersion: 2 },
      { password: "x" },
    ]) {
      expect(await diff(change)).toEqual({ changes: true, replaces: [] });
    }
  });

  it("refuses what is no JSON object and skips what is unknown", async () => {
    const { provider } = served(patroniConfigurationProvider);
    const failures = async (configuration: string) =>
      (await provider.check(inputs, { ...inputs, configuration })).failures;
    expect(await failures("[1]")).toEqual([
      { property: "configuration", reason: "must be a JSON object: got an array" },
    ]);
    expect(await failures("{")).toHaveLength(1);
    expect(await failures(UNKNOWN)).toEqual([]);
  });

  it("fails at its deadline, and does not call an unreachable cluster gone", async () => {
    const { provider } = served(patroniConfigurationProvider);
    await expect(provider.create(inputs)).rejects.toThrow(
      "Patroni accepts the configuration: timed out after 1 s. Last seen: pg-0: connect ECONNREFUSED 127.0.0.1:1",
    );
    expect(await provider.read("configuration", inputs)).toEqual({ id: "configuration", props: inputs });
  });
});
