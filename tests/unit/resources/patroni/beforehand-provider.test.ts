import {
  patroniBeforehandProvider,
  type PatroniBeforehandInputs,
} from "../../../../components/resources/patroni/beforehand-provider";
import { served } from "../../../support/served";

const inputs: PatroniBeforehandInputs = {
  rest: {
    members: [{ name: "pg-0", serverName: "pg-0", reach: { via: "tcp", host: "127.0.0.1", port: 1 } }],
    ca: "PEM",
    username: "patroni",
  },
  password: "secret",
  configuration: '{"ttl":20}',
  group: { extensions: [], database: "app", librariesBefore: [], section: "patroni" },
  deadlineSeconds: 1,
  providerVersion: 1,
};

describe("the provider of PatroniBeforehand", () => {
  it("has nothing to do where nobody answers, as before the first start", async () => {
    const { provider } = served(patroniBeforehandProvider);
    expect(await provider.create(inputs)).toEqual({ id: "beforehand", outs: inputs });
    const news = { ...inputs, configuration: '{"ttl":30}' };
    expect(await provider.update("beforehand", inputs, news)).toEqual({ outs: news });
  });

  it("looks again when something is declared otherwise", async () => {
    const { provider } = served(patroniBeforehandProvider);
    expect(await provider.diff("beforehand", inputs, inputs)).toEqual({ changes: false, replaces: [] });
    for (const change of [{ configuration: '{"ttl":30}' }, { providerVersion: 2 }])
      expect(await provider.diff("beforehand", inputs, { ...inputs, ...change })).toEqual({
        changes: true,
        replaces: [],
      });
  });
});
