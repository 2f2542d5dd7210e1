import { z } from "zod";
import { issueAuthority } from "../../../components/resources/certificates/issue";
import { type Cost, factsOf, unwrap } from "../../../components/settings/setting";
import { SETTINGS_SCHEMA } from "../../../stacks/settings";
import { type Costs, costsBetween } from "../../support/change";
import { recordComponents, recordStack } from "../../support/specs";

/** Another value of each setting than its default and than that of dev and prod. */
const OTHER: Readonly<Record<string, unknown>> = {
  "etcd.members": 5,
  "etcd.quota": "512Mi",
  "etcd.volumeSize": "20Gi",
  "etcd.memory": "2Gi",
  "etcd.cpu": 3,
  "etcd.cpuLimit": 4,
  "patroni.members": 5,
  "patroni.synchronous": "strict",
  "patroni.synchronousReplicas": 2,
  "patroni.timing.ttlSeconds": 60,
  "patroni.timing.loopWaitSeconds": 2,
  "patroni.timing.retryTimeoutSeconds": 4,
  "patroni.parameters": { max_connections: 120 },
  "patroni.extensions": ["vector"],
  "patroni.volumeSize": "200Gi",
  "patroni.memory": "2Gi",
  "patroni.cpu": 3,
  "patroni.cpuLimit": 4,
  "coordinator.members": 5,
  "coordinator.memory": "2Gi",
  "coordinator.cpu": 3,
  "coordinator.cpuLimit": 4,
  "coordinator.volumeSize": "200Gi",
  "coordinator.parameters": { wal_buffers: "8MB" },
  "workers.groups": 3,
  "workers.external": [{ group: 9, host: "db9.example.com" }],
  "workers.rebalance": false,
  "workers.members": 4,
  "workers.memory": "2Gi",
  "workers.cpu": 3,
  "workers.cpuLimit": 4,
  "workers.volumeSize": "200Gi",
  "workers.parameters": { wal_buffers: "8MB" },
  "proxy.entries": 3,
  "proxy.writePools": 4,
  "proxy.readPools": 4,
  "proxy.poolSize": 5,
  "proxy.databases": 2,
  "proxy.directSessions": 2,
  "proxy.resetSessions": false,
  "proxy.maxClients": 4000,
  "proxy.memory": "1Gi",
  "proxy.connectionsPerSecond": 100,
  "proxy.maximumLag": "32Mi",
  "proxy.drainSeconds": 30,
  "proxy.queryWaitSeconds": 90,
  "proxy.names": ["db.example.com"],
  "proxy.cpu": 3,
  "proxy.ports.write": 16432,
  "proxy.ports.read": 16433,
  "proxy.ports.statistics": 17000,
  "certificates.authorityDays": 3000,
  "certificates.days": 90,
  "certificates.issuer.authority": "the second",
  "kubernetes.exposeAs": "LoadBalancer",
  "kubernetes.exposeAnnotations": { internal: "true" },
  "kubernetes.clusterDomain": "example.internal",
  "kubernetes.priorityClass": "high",
  "kubernetes.directFrom": ["10.20.0.0/16"],
  "kubernetes.imagePullSecret": "registry",
};

/** Settings whose cost is not seen in what a stack registers, and where it is. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  environment: "decides about everything; the data of a cluster stay on their platform",
  cluster: "the authority and the passwords of the old one are protected: Pulumi refuses to replace them",
  citus: "refused by the data that are there: citus.test.ts",
  namespace: "the old one is protected: Pulumi refuses to replace it",
  "adopt.cluster": "read by `up` alone: tests/unit/resources/ownership",
  "adopt.passwords": "read by `up` alone: tests/unit/resources/ownership",
  "patroni.postgresVersion": "another one is refused: form.test.ts",
  "patroni.database":
    "another name is another database, and that of Citus is told to each member when it is made",
  "certificates.formerAuthority": "of a cluster that was adopted: tests/cluster/adoption",
  "certificates.issuer.name":
    "cert-manager issues anew, and the Secret changes: tests/unit/platforms/certificate.test.ts",
  "certificates.issuer.kind": "as its name",
  "certificates.issuer.group": "as its name",
  "kubernetes.storageClass": "another one is refused: tests/unit/platforms/volume-claims.test.ts",
  "images.registry": "the images' names are in every pod: tests/unit/platforms/kubernetes-render.test.ts",
  "images.tags": "as the registry",
  "images.citusVersion":
    "an argument of the image's build, which its tag holds: tests/unit/config-files/images.test.ts",
  "images.packages": "a file of the image's build: tests/unit/platforms/image-build.test.ts",
  "images.postgresPackages": "as citusVersion",
  "images.caCertificates": "no part of the tag: tests/unit/platforms/image-build.test.ts",
};

function paths(schema: z.ZodObject, above = ""): [string, z.core.$ZodType][] {
  return Object.entries<z.core.$ZodType>(schema.shape).flatMap(([key, field]) => {
    const inner = unwrap(field);
    return inner instanceof z.ZodObject ? paths(inner, `${above}${key}.`) : [[`${above}${key}`, field]];
  });
}

const nested = (path: string, value: unknown): Record<string, unknown> =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;

const SETTINGS = paths(SETTINGS_SCHEMA).map(([path, schema]) => ({ path, cost: factsOf(schema, path).cost }));
const seen = SETTINGS.filter(({ path }) => path in OTHER);
const both = (cost: Cost | Costs): Costs =>
  typeof cost === "string" ? { docker: cost, kubernetes: cost } : cost;

test("what a change of a setting costs is seen here, or said where it is", () => {
  const all = SETTINGS.map(({ path }) => path);
  expect(all.filter((path) => path in OTHER === path in ELSEWHERE)).toEqual([]);
  expect([...Object.keys(OTHER), ...Object.keys(ELSEWHERE)].filter((path) => !all.includes(path))).toEqual(
    [],
  );
});

describe("a change of a setting costs what README's table says (C4)", () => {
  const ofKubernetes = ({ path }: { readonly path: string }): boolean => /^kubernetes|issuer/.test(path);

  test.each(seen.filter((setting) => !ofKubernetes(setting)))("$path", async ({ path, cost }) => {
    const distributed = /^(coordinator|workers)\./.test(path);
    const before = await recordComponents("prod", distributed, {});
    const after = await recordComponents("prod", distributed, nested(path, OTHER[path]));
    expect(costsBetween(before, after)).toEqual(both(cost));
  });

  test.each(seen.filter(ofKubernetes))("$path", async ({ path, cost }) => {
    const authority = async (): Promise<string> =>
      (await issueAuthority(new Date(), { commonName: "issuer", lifetimeDays: 900 })).certificatePem;
    const issuer = async () => ({
      certificates: { issuer: { name: "issuer", authority: await authority() } },
    });
    const [before, after] = path.startsWith("certificates.issuer")
      ? [await issuer(), await issuer()]
      : [{}, nested(path, OTHER[path])];
    const of = (written: Record<string, unknown>) => recordStack("prod", false, "prod", written);
    expect(costsBetween(await of(before), await of(after)).kubernetes).toBe(both(cost).kubernetes);
  });
});
