import type { WorkerGroupsInputs } from "../../../../../components/resources/sql/worker-groups/provider";
import { workerGroupsProvider } from "../../../../../components/resources/sql/worker-groups/provider";
import { served } from "../../../../support/served";

const member = (name: string) => ({
  name,
  serverName: name,
  // Nothing listens there, so whoever asks learns that nobody answers.
  reach: { via: "tcp" as const, host: "127.0.0.1", port: 1 },
});
const group = (number: number) => ({
  group: number,
  hosts: [`w${number}-0`],
  session: { members: [member(`w${number}-0`)], user: "postgres", database: "app" },
  rest: { members: [member(`w${number}-0`)], username: "patroni" },
});
const inputs: WorkerGroupsInputs = {
  coordinator: { members: [member("c-0")], user: "postgres", database: "app" },
  ca: "PEM",
  password: "p",
  restPassword: "r",
  groups: [group(1), group(2)],
  rebalance: true,
  deadlineSeconds: 1,
  providerVersion: 1,
};
const outs = { ...inputs, shards: {}, drift: [] };

describe("the provider of WorkerGroupRegistration", () => {
  test("a change of the groups, the passwords or itself is an update, never a replacement", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    for (const change of [{ groups: [group(1)] }, { restPassword: "s" }, { providerVersion: 2 }]) {
      expect(await provider.diff("worker-groups", outs, { ...inputs, ...change })).toEqual({
        changes: true,
        replaces: [],
      });
    }
    expect(printed).toEqual([expect.stringMatching(/^cannot determine which shards would be moved: /)]);
  });

  test("a preview tells which group comes, without asking anybody", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    await provider.diff("worker-groups", outs, { ...inputs, groups: [...inputs.groups, group(3)] });
    expect(printed).toEqual(["worker group 3 (w3-0) joins; then shards are moved to it in the background"]);
  });

  test("a cluster that cannot be looked at is no reason to fail a preview, but one to look again", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    expect(await provider.diff("worker-groups", outs, inputs)).toEqual({ changes: true, replaces: [] });
    expect(printed).toEqual([expect.stringMatching(/^cannot read the nodes: /)]);
  });

  test("check refuses a group that comes while another leaves", async () => {
    const { provider } = served(workerGroupsProvider);
    const { failures } = await provider.check(outs, { ...inputs, groups: [group(1), group(3)] });
    expect(failures?.map(({ property }) => property)).toEqual(["groups"]);
  });

  test("deleting it moves nothing", async () => {
    const { provider, printed } = served(workerGroupsProvider);
    await provider.delete("worker-groups", outs);
    expect(printed).toEqual(["worker groups 1, 2 are left as they are, with their shards"]);
  });
});
