import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { etcdAuthenticationProvider } from "../../components/resources/etcd/provider";
import type {
  EtcdAuthenticationInputs,
  EtcdAuthenticationOutputs,
} from "../../components/resources/etcd/provider";
import { logIn, mayWrite, readAuthentication, withGateway } from "../../components/resources/etcd/gateway";
import { startEtcd } from "../support/etcd";
import type { EtcdServer } from "../support/etcd";
import { describeWithDocker } from "../support/postgres";
import { served } from "../support/served";

jest.setTimeout(240_000);

/** A way to a server on this machine whose `nth` connection is taken and never answered. */
async function silentAt(to: number, nth: number) {
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const ends = ++connections === nth ? [client] : [client, connect(to, "127.0.0.1")];
    const end = (): void => ends.forEach((each) => each.destroy());
    for (const each of ends) {
      open.add(each);
      each.on("error", end).on("close", end);
    }
    ends[1]?.pipe(client).pipe(ends[1]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: (): number => connections,
    close: async (): Promise<void> => {
      for (const each of open) each.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeWithDocker("etcd's users and roles on a real etcd", () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await startEtcd(`prov-etcd-${process.pid}`);
  });
  afterAll(() => server.remove());

  const inputs = (change: Partial<EtcdAuthenticationInputs> = {}): EtcdAuthenticationInputs => ({
    members: [server.member],
    ca: server.ca,
    rootPassword: "root-password",
    scopes: [
      { user: "patroni-a", prefix: "/service/a/" },
      { user: "patroni-b", prefix: "/service/b/" },
    ],
    passwords: { "patroni-a": "password-a", "patroni-b": "password-b" },
    deadlineSeconds: 30,
    providerVersion: 1,
    ...change,
  });
  const ask = <T>(use: Parameters<typeof withGateway<T>>[1]) =>
    withGateway({ ...server.member, ca: server.ca }, use);
  const login = async (user: string, password: string) =>
    (await ask((gateway) => logIn(gateway, user, password))).result;
  let outs: EtcdAuthenticationOutputs;

  it("says that a fresh etcd is gone", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    expect(await provider.read("authentication", { ...inputs(), drift: [] })).toEqual({});
  });

  it("makes users and roles, switches authentication on, and locks each scope in", async () => {
    const { provider, printed } = served(etcdAuthenticationProvider);
    outs = (await provider.create(inputs())).outs as EtcdAuthenticationOutputs;
    expect(printed.at(-1)).toBe("etcd: enable authentication");
    expect(printed.join("\n")).not.toContain("password-");
    expect(await login("root", "root-password")).toBe("ok");
    await ask(async (gateway) => {
      const a = await logIn(gateway, "patroni-a", "password-a");
      const token = a.result === "ok" ? a.token : "";
      expect(await mayWrite(gateway, "/service/a/leader", token)).toBe(true);
      expect(await mayWrite(gateway, "/service/b/leader", token)).toBe(false);
      expect(await mayWrite(gateway, "/service/ab", token)).toBe(false);
      await expect(readAuthentication(gateway, token)).rejects.toThrow("permission denied");
    });
  });

  it("changes nothing the second time", async () => {
    const { provider, printed } = served(etcdAuthenticationProvider);
    expect(await provider.diff("authentication", outs, inputs())).toEqual({ changes: false, replaces: [] });
    await provider.update("authentication", outs, inputs());
    expect(printed).toEqual([]);
    expect(await provider.read("authentication", outs)).toEqual({ id: "authentication", props: outs });
  });

  it("sets changed passwords, root's too, and takes a scope away that is no longer declared", async () => {
    const { provider, printed } = served(etcdAuthenticationProvider);
    const news = inputs({
      rootPassword: "new-root-password",
      scopes: [{ user: "patroni-a", prefix: "/service/a/" }],
      passwords: { "patroni-a": "new-password-a" },
    });
    expect(await provider.diff("authentication", outs, news)).toEqual({ changes: true, replaces: [] });
    outs = (await provider.update("authentication", outs, news)).outs as EtcdAuthenticationOutputs;
    expect(printed).toEqual([
      "etcd: set-password patroni-a",
      "etcd: delete-user patroni-b",
      "etcd: delete-role patroni-b",
      "etcd: set-password root",
    ]);
    expect(await login("root", "new-root-password")).toBe("ok");
    expect(await login("root", "root-password")).toBe("wrong-password");
    expect(await login("patroni-a", "new-password-a")).toBe("ok");
    expect(await login("patroni-b", "password-b")).toBe("wrong-password");
  });

  it("notices by refresh what was changed by hand, and mends it", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    await ask(async (gateway) => {
      const root = await logIn(gateway, "root", "new-root-password");
      const token = root.result === "ok" ? root.token : "";
      const everything = {
        permType: "READWRITE",
        key: Buffer.from("/").toString("base64"),
        range_end: Buffer.from("0").toString("base64"),
      };
      await gateway.call("/v3/auth/role/grant", { name: "patroni-a", perm: everything }, token);
    });
    const seen = (await provider.read("authentication", outs)).props as EtcdAuthenticationOutputs;
    expect(seen.drift).toEqual(["revoke patroni-a READWRITE /*"]);
    outs = (await provider.update("authentication", seen, seen)).outs as EtcdAuthenticationOutputs;
    expect(((await provider.read("authentication", outs)).props as EtcdAuthenticationOutputs).drift).toEqual(
      [],
    );
  });

  it("an etcd that stops answering on the way is asked anew, and makes what is still missing", async () => {
    const { provider, printed } = served(etcdAuthenticationProvider);
    // The first connection asks for its health, the second one is to do the work.
    const gap = await silentAt(server.member.reach.port, 2);
    try {
      const members = [
        { ...server.member, reach: { via: "tcp" as const, host: "127.0.0.1", port: gap.port } },
      ];
      const news = { ...outs, members, passwords: { "patroni-a": "newest-password-a" } };
      await provider.update("authentication", outs, news);
      expect(gap.connections()).toBeGreaterThan(3);
      expect(printed).toContainEqual(
        expect.stringMatching(
          /^waiting until etcd has the declared .*: POST \S+: no answer within 10000 ms$/,
        ),
      );
      expect(await login("patroni-a", "newest-password-a")).toBe("ok");
      outs = { ...outs, passwords: news.passwords };
    } finally {
      await gap.close();
    }
  });

  it("refuses to guess when root's password is another one", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    await expect(provider.create(inputs({ rootPassword: "from another state" }))).rejects.toThrow(
      "etcd rejects the password of root",
    );
    const { props } = await provider.read("authentication", { ...outs, rootPassword: "x" });
    expect(props?.drift).toEqual([expect.stringContaining("rejects the password of root")]);
  });

  it("records that etcd cannot be asked, instead of calling it gone, so that the next up verifies", async () => {
    const { provider } = served(etcdAuthenticationProvider);
    const unreachable = { ...server.member, reach: { via: "tcp" as const, host: "127.0.0.1", port: 1 } };
    const { id, props } = await provider.read("authentication", { ...outs, members: [unreachable] });
    expect(id).toBe("authentication");
    expect(props?.drift).toEqual([
      "could not be read: a majority of etcd's members answers: timed out after 10 s. Last seen: only: connect ECONNREFUSED 127.0.0.1:1",
    ]);
  });
});
