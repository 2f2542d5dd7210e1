import { etcdAuthenticationProvider } from "../../../../components/resources/etcd/provider";
import type { EtcdAuthenticationInputs } from "../../../../components/resources/etcd/provider";
import { served } from "../../../support/served";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const inputs: EtcdAuthenticationInputs = {
  members: [
    { name: "etcd-0", serverName: "etcd-0", reach: { via: "docker", container: "etcd-0", port: 2379 } },
  ],
  ca: "PEM",
  rootPassword: "root",
  scopes: [{ user: "patroni-a", prefix: "/service/a/" }],
  passwords: { "patroni-a": "a" },
  deadlineSeconds: 60,
  providerVersion: 1,
};
const outs = { ...inputs, drift: [] };

describe("the provider of EtcdAuthentication", () => {
  it("sees changes of inputs, of itself, and drift; it never replaces", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    const diff = (change: object, old: object = {}) =>
      provider.diff("authentication", { ...outs, ...old }, { ...inputs, ...change });
    expect(await diff({})).toEqual({ changes: false, replaces: [] });
    expect(await diff({ deadlineSeconds: 5 })).toEqual({ changes: false, replaces: [] });
    for (const change of [
      { passwords: { "patroni-a": "b" } },
      { scopes: [] },
      { providerVersion: 2 },
      { rootPassword: UNKNOWN },
    ]) {
      expect(await diff(change)).toEqual({ changes: true, replaces: [] });
    }
    expect(await diff({}, { drift: ["set-password root"] })).toEqual({ changes: true, replaces: [] });
  });

  it("checks known scopes and skips unknown ones", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    const check = async (scopes: unknown) =>
      (await provider.check(outs, { ...inputs, scopes } as never)).failures;
    expect(await check(UNKNOWN)).toEqual([]);
    expect(await check([{ user: UNKNOWN, prefix: UNKNOWN }])).toEqual([]);
    expect(await check([{ user: "root", prefix: "/a/" }])).toHaveLength(1);
  });

  it("leaves etcd alone when it is deleted", async () => {
    const { provider, printed } = served(etcdAuthenticationProvider);
    await provider.delete("authentication", outs);
    expect(printed).toEqual(["etcd's users and authentication are kept in its data volumes"]);
  });
});
