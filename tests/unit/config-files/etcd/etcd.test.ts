import { etcdEnvironment } from "../../../../config-files/etcd/etcd";
import { expectGolden } from "../../../support/golden";

const members = [0, 1, 2].map((i) => ({ name: `pg-dev-etcd-${i}`, address: `pg-dev-etcd-${i}` }));
const environment = etcdEnvironment({ members, clusterToken: "pg-dev", quotaMiB: 256 });

describe("etcd", () => {
  test("the environment of a member", () => {
    expectGolden(
      "config-files/etcd/three-members.env",
      Object.entries(environment)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
  });

  test("clients are not asked for a certificate: etcd would demand one of everybody", () => {
    expect(environment).not.toHaveProperty("ETCD_TRUSTED_CA_FILE");
    expect(environment).not.toHaveProperty("ETCD_CLIENT_CERT_AUTH");
  });

  test("peers must hold a certificate with a name that only etcd's has", () => {
    expect(environment).toMatchObject({
      ETCD_PEER_CLIENT_CERT_AUTH: "true",
      ETCD_PEER_TRUSTED_CA_FILE: "/secrets/tls/ca.crt",
      ETCD_PEER_CERT_ALLOWED_HOSTNAME: "pg-dev-etcd-0",
    });
  });

  test("etcd-start decides what kind of start it is, so the environment does not", () => {
    expect(environment).not.toHaveProperty("ETCD_INITIAL_CLUSTER_STATE");
  });

  test("the quota is in bytes", () => {
    expect(etcdEnvironment({ members, clusterToken: "x", quotaMiB: 512 })["ETCD_QUOTA_BACKEND_BYTES"]).toBe(
      "536870912",
    );
  });

  test("a cluster without members is refused", () => {
    expect(() => etcdEnvironment({ members: [], clusterToken: "x", quotaMiB: 256 })).toThrow(
      "at least one member",
    );
  });
});
