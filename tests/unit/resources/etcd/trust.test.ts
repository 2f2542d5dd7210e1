import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { etcdTrustProvider } from "../../../../components/resources/etcd/trust";
import { served } from "../../../support/served";

describe("whom etcd's members trust", () => {
  const inputs = { members: [], ca: "A", running: false, deadlineSeconds: 1, providerVersion: 1 };

  test("only another authority restarts members; one that this state has started knows it already", async () => {
    const { provider } = served(etcdTrustProvider);
    expect(await provider.create(inputs)).toEqual({ id: "trust", outs: inputs });
    expect(await provider.diff("trust", inputs, { ...inputs, running: true, deadlineSeconds: 9 })).toEqual({
      changes: false,
      replaces: [],
    });
    expect(await provider.diff("trust", inputs, { ...inputs, ca: "A\nB" })).toMatchObject({ changes: true });
  });

  test("none is restarted while another does not serve", async () => {
    const { provider } = served(etcdTrustProvider);
    const closed = createServer();
    await new Promise<void>((listening) => closed.listen(0, "127.0.0.1", listening));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    // Restarting it would fail with other words: it is somebody else's server.
    const reach = { via: "tcp", host: "127.0.0.1", port } as const;
    const members = [{ name: "pg-etcd-0", serverName: "pg-etcd-0", reach }];
    await expect(provider.update("trust", inputs, { ...inputs, members })).rejects.toThrow(
      /all etcd members are healthy before the next one is restarted: timed out after 1 s\. Last seen: pg-etcd-0: .*ECONNREFUSED/,
    );
  });
});
