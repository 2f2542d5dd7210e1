import { undeclared } from "../../../../components/resources/etcd/members";
import {
  type EtcdMembershipInputs,
  etcdMembershipProvider,
} from "../../../../components/resources/etcd/membership";
import { served } from "../../../support/served";

const member = (ordinal: number) => ({
  name: `pg-etcd-${ordinal}`,
  serverName: `pg-etcd-${ordinal}.pg-etcd`,
  reach: { via: "tcp", host: "127.0.0.1", port: 1 } as const,
});
const inputs: EtcdMembershipInputs = {
  ...{ members: [member(0), member(1), member(2)], ca: "PEM", rootPassword: "root" },
  ...{ deadlineSeconds: 1, providerVersion: 1 },
};
const outs = { ...inputs, drift: [] };

test("members that nobody declared are told by their peer URLs: one that never ran has no name", () => {
  const peer = (ordinal: number) => [`https://pg-etcd-${ordinal}.pg-etcd:2380`];
  const listed = [
    { ID: "1", name: "pg-etcd-0", peerURLs: peer(0) },
    { ID: "2", name: "", peerURLs: peer(1) },
    { ID: "3", name: "pg-etcd-3", peerURLs: peer(3) },
    { ID: "4", peerURLs: peer(4) },
  ];
  expect(undeclared(listed, inputs.members).map(({ ID }) => ID)).toEqual(["3", "4"]);
});

describe("the provider of EtcdMembership", () => {
  test("sees other members, itself, and drift, and not that credentials changed", async () => {
    const { provider } = served(etcdMembershipProvider);
    const changes = async (news: object, olds: object = {}) =>
      (await provider.diff("membership", { ...outs, ...olds }, { ...inputs, ...news })).changes;
    expect(await changes({})).toBe(false);
    expect(await changes({ ca: "other", rootPassword: "other" })).toBe(false);
    expect(await changes({ members: [member(0)] })).toBe(true);
    expect(await changes({ providerVersion: 2 })).toBe(true);
    expect(await changes({}, { drift: ["pg-etcd-4 is a member, but not declared"] })).toBe(true);
  });

  test("waits for nobody at first, nor in a refresh: what brings the members waits for it", async () => {
    const { provider } = served(etcdMembershipProvider);
    expect(await provider.create(inputs)).toEqual({ id: "membership", outs });
    expect(await provider.read("membership", outs)).toEqual({ id: "membership", props: outs });
  });

  test("changes nothing without a majority", async () => {
    const { provider } = served(etcdMembershipProvider);
    await expect(provider.update("membership", outs, { ...inputs, members: [member(0)] })).rejects.toThrow(
      /etcd has the declared members and no others: timed out after 1 s.*pg-etcd-0/,
    );
  });
});
