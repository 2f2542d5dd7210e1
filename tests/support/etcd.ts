import { execFileSync } from "node:child_process";
import { issueAuthority, issueLeaf } from "../../components/resources/certificates/issue";
import type { ClusterMember } from "../../components/resources/etcd/reconcile";
import { orRemove } from "./docker";
import { imageOf } from "./patroni";

/** A single etcd 3.5 in a throw-away container, with verified TLS and no authentication yet. */
export interface EtcdServer {
  readonly member: ClusterMember;
  readonly ca: string;
  remove(): void;
}

function docker(args: readonly string[], input?: string): string {
  return execFileSync("docker", [...args], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

/** @param name of the container, prefixed by what the test is about */
export async function startEtcd(name: string): Promise<EtcdServer> {
  const authority = await issueAuthority(new Date(), { commonName: "etcd-tests", lifetimeDays: 1 });
  const leaf = await issueLeaf(new Date(), {
    commonName: "etcd",
    dnsNames: ["etcd.test"],
    ipAddresses: [],
    usages: ["server"],
    lifetimeDays: 1,
    authorityCertificatePem: authority.certificatePem,
    authorityPrivateKeyPem: authority.privateKeyPem,
  });
  const remove = (): void => void docker(["rm", "--force", "--volumes", name]);
  return orRemove(remove, async () => {
    docker([
      "run",
      "--detach",
      "--init",
      "--name",
      name,
      "--publish",
      "127.0.0.1::2379",
      "--user",
      "nobody",
      "--entrypoint",
      "sleep",
      imageOf("etcd"),
      "3600",
    ]);
    const run = (script: string, input?: string): string =>
      docker(["exec", "-i", name, "sh", "-ec", script], input);
    run("umask 077; cat > /tmp/tls.crt", leaf.certificatePem);
    run("umask 077; cat > /tmp/tls.key", leaf.privateKeyPem);
    docker([
      ...[
        "exec",
        "--detach",
        name,
        "etcd",
        "--data-dir",
        "/tmp/data",
        "--cert-file",
        "/tmp/tls.crt",
        "--key-file",
        "/tmp/tls.key",
      ],
      ...[
        "--listen-client-urls",
        "https://0.0.0.0:2379",
        "--advertise-client-urls",
        "https://etcd.test:2379",
      ],
    ]);
    const port = Number(/:(\d+)\s*$/m.exec(docker(["port", name, "2379/tcp"]))![1]);
    return {
      member: { name: "only", reach: { via: "tcp", host: "127.0.0.1", port }, serverName: "etcd.test" },
      ca: authority.certificatePem,
      remove,
    };
  });
}
