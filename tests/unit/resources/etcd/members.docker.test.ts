import { issueAuthority, issueLeaf } from "../../../../components/resources/certificates/issue";
import {
  type EtcdMembershipInputs,
  etcdMembershipProvider,
} from "../../../../components/resources/etcd/membership";
import { etcdAuthenticationProvider } from "../../../../components/resources/etcd/provider";
import { etcdEnvironment } from "../../../../config-files/etcd/etcd";
import { docker, logOf } from "../../../support/docker";
import { start } from "../../../support/patroni";
import { served } from "../../../support/served";
import { eventually } from "../../../support/stack";

const PREFIX = `etcd-members-${process.pid}`;
const names = [0, 1, 2, 3, 4].map((ordinal) => `${PREFIX}-${ordinal}`);
const rootPassword = "etcd-root";

interface Listed {
  readonly name?: string;
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

describe("the members of an etcd cluster", () => {
  let ca = "";
  let tls: Record<string, string>;

  beforeAll(async () => {
    docker("network", "create", PREFIX);
    const authority = await issueAuthority(new Date(), { commonName: PREFIX, lifetimeDays: 1 });
    ca = authority.certificatePem;
    const leaf = await issueLeaf(new Date(), {
      ...{ commonName: "etcd", dnsNames: [...names, "localhost"], ipAddresses: ["127.0.0.1"] },
      ...{ usages: ["server", "client"], lifetimeDays: 1 },
      ...{ authorityCertificatePem: ca, authorityPrivateKeyPem: authority.privateKeyPem },
    });
    tls = { "ca.crt": ca, "tls.crt": leaf.certificatePem, "tls.key": leaf.privateKeyPem };
  });
  // After each, whatever became of it: the next one makes members of the same names.
  afterEach(() => {
    docker("rm", "--force", ...names);
    docker("volume", "rm", "--force", ...names);
  });
  afterAll(() => docker("network", "rm", PREFIX));

  const reachable = (count: number) =>
    names.slice(0, count).map((name) => ({
      ...{ name, serverName: name },
      reach: { via: "docker", container: name, port: 2379 } as const,
    }));
  const inputs = (count: number): EtcdMembershipInputs => ({
    ...{ members: reachable(count), ca, rootPassword, deadlineSeconds: 60, providerVersion: 1 },
  });
  /** What `up` does before it touches a member. */
  async function declare(before: number, count: number): Promise<void> {
    const { provider } = served(etcdMembershipProvider);
    await provider.update("membership", { ...inputs(before), drift: [] }, inputs(count));
  }
  async function run(from: number, count: number): Promise<void> {
    const members = names.slice(0, count).map((name) => ({ name, address: name }));
    const env = etcdEnvironment({ members, clusterToken: PREFIX, quotaMiB: 256 });
    const files = { "/secrets/tls": tls, "/secrets/etcd": { "root-password": rootPassword } };
    for (const name of names.slice(from, count))
      await start(name, PREFIX, "etcd", env, files, ["--volume", `${name}:/var/lib/etcd`]);
  }
  const etcdctl = (ordinal: number, ...args: string[]): string =>
    docker(
      ...["exec", names[ordinal]!, "etcdctl", "--endpoints=https://127.0.0.1:2379"],
      ...["--cacert=/secrets/tls/ca.crt", `--user=root:${rootPassword}`, ...args],
    ).trim();
  const listed = (): readonly Listed[] =>
    (JSON.parse(etcdctl(0, "member", "list", "--write-out=json")) as { members: Listed[] }).members;
  /** Resolves when etcd counts so many members, every one of which has run and is a voting member. */
  const counted = (count: number): Promise<void> =>
    eventually(`${count} members`, 120_000, () => {
      const all = listed();
      const ran = all.filter(({ clientURLs = [] }) => clientURLs.length > 0).map(({ name = "" }) => name);
      const learners = all.filter(({ isLearner = false }) => isLearner);
      if (all.length !== count || learners.length > 0 || ran.sort().join() !== names.slice(0, count).join())
        throw new Error(JSON.stringify(all));
      return Promise.resolve();
    });
  const says = (ordinal: number, text: string): Promise<void> =>
    eventually(`${names[ordinal]} says: ${text}`, 60_000, () => {
      const log = logOf(names[ordinal]!);
      if (!log.includes(text)) throw new Error(log.slice(-1000));
      return Promise.resolve();
    });

  const authenticate = async (count: number): Promise<void> => {
    const { provider } = served(etcdAuthenticationProvider);
    await provider.create({
      ...{ members: reachable(count), ca, rootPassword, scopes: [], passwords: {} },
      ...{ deadlineSeconds: 120, providerVersion: 1 },
    });
  };

  test("go from 1 to 3 and back: one that joins and never comes up takes nobody's majority (H1)", async () => {
    await run(0, 1);
    await authenticate(1);
    await declare(1, 3);
    // Added, and gone before it has run: with a vote, it would be half of a majority that never comes back.
    etcdctl(0, "member", "add", names[1]!, "--learner", `--peer-urls=https://${names[1]}:2380`);
    etcdctl(0, "put", "/alone", "a majority of one");
    await run(1, 3);
    await counted(3);
    expect(etcdctl(2, "get", "/alone", "--print-value-only")).toBe("a majority of one");
    await declare(3, 1);
    expect(listed()).toHaveLength(1);
    etcdctl(0, "put", "/alone", "again");
  });

  test("go from 3 to 5 and back: who leaves is none before it stops, and may come again later", async () => {
    await run(0, 3);
    await authenticate(3);
    await counted(3);
    etcdctl(0, "put", "/kept", "through it all");

    await declare(3, 5);
    await run(3, 5);
    await counted(5);

    await declare(5, 3);
    expect(listed()).toHaveLength(3);
    // They run still, until `up` stops them, and must not come back by themselves.
    for (const ordinal of [3, 4]) await says(ordinal, "is not a declared member of this cluster any more");
    expect(listed()).toHaveLength(3);
    docker("rm", "--force", ...names.slice(3));

    await declare(3, 5);
    await run(3, 5);
    await counted(5);
    for (const ordinal of [3, 4]) await says(ordinal, "moving its old data aside");
    expect(etcdctl(4, "get", "/kept", "--print-value-only")).toBe("through it all");

    const membership = served(etcdMembershipProvider);
    const seen = await membership.provider.read("membership", { ...inputs(3), drift: [] });
    expect(seen.props?.drift).toEqual(names.slice(3).map((name) => `${name} is a member, but not declared`));

    // As an up of a stack that is older than the resource.
    await membership.provider.create(inputs(3));
    expect(listed()).toHaveLength(3);
  });
});
