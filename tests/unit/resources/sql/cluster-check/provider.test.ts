import {
  type ClusterCheckInputs,
  clusterCheckProvider,
} from "../../../../../components/resources/sql/cluster-check/provider";
import { served } from "../../../../support/served";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const member = { name: "c-0", serverName: "c-0", reach: { via: "tcp" as const, host: "127.0.0.1", port: 1 } };
const inputs: ClusterCheckInputs = {
  coordinator: { members: [member], user: "postgres", database: "app", ca: "PEM" },
  password: "secret",
  groups: [{ group: 0, members: [member] }],
  deadlineSeconds: 1,
  providerVersion: 1,
};

describe("the provider of ClusterCheck", () => {
  it("shows in a preview that it cannot look, without failing", async () => {
    const { provider, printed } = served(clusterCheckProvider);
    expect(await provider.diff("cluster", { ...inputs, drift: [] }, inputs)).toEqual({
      changes: true,
      replaces: [],
    });
    expect(printed).toEqual(["cannot read the nodes: c-0: connect ECONNREFUSED 127.0.0.1:1"]);
  });

  it("checks anew what a refresh found wrong, and does not look while an input is unknown", async () => {
    const { provider, printed } = served(clusterCheckProvider);
    const change = { changes: true, replaces: [] };
    const drifted = { ...inputs, drift: ["group 1: w1-0 is not registered"] };
    expect(await provider.diff("cluster", drifted, inputs)).toEqual(change);
    expect(
      await provider.diff("cluster", { ...inputs, drift: [] }, { ...inputs, password: UNKNOWN }),
    ).toEqual(change);
    expect(printed).toEqual([]);
  });

  it("fails at its deadline when nobody answers", async () => {
    const { provider } = served(clusterCheckProvider);
    await expect(provider.create(inputs)).rejects.toThrow(
      "the nodes are as declared: timed out after 1 s. Last seen: c-0: connect ECONNREFUSED 127.0.0.1:1",
    );
  });
});
