import { etcdKeysProvider, rangeEnd } from "../../../../components/resources/etcd/keys-provider";
import { served } from "../../../support/served";

const inputs = {
  // Nothing listens there.
  members: [
    { name: "etcd-0", serverName: "etcd-0", reach: { via: "tcp" as const, host: "127.0.0.1", port: 1 } },
  ],
  ca: "PEM",
  user: "patroni-pg",
  password: "p",
  prefix: "/service/pg/3/",
  providerVersion: 1,
};

test("the range of a prefix ends before the next one: group 3's keys, and not those of group 30", () => {
  const end = Buffer.from(rangeEnd("/service/pg/3/"), "base64").toString();
  expect(end).toBe("/service/pg/30");
  expect("/service/pg/3/leader" < end).toBe(true);
  expect("/service/pg/30/leader" < end).toBe(false);
});

describe("the provider of EtcdKeys", () => {
  test("another prefix is another resource; a new password is none", async () => {
    const { provider } = served(etcdKeysProvider);
    expect(await provider.diff("id", inputs, inputs)).toEqual({ changes: false, replaces: [] });
    expect(await provider.diff("id", inputs, { ...inputs, password: "q" })).toEqual({
      changes: true,
      replaces: [],
    });
    expect(await provider.diff("id", inputs, { ...inputs, prefix: "/service/pg/4/" })).toEqual({
      changes: true,
      replaces: ["prefix"],
    });
  });

  test("making it writes nothing", async () => {
    const { provider } = served(etcdKeysProvider);
    expect(await provider.create(inputs)).toEqual({ id: "/service/pg/3/", outs: inputs });
  });
});
