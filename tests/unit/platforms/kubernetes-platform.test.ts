import * as pulumi from "@pulumi/pulumi";
import { KubernetesPlatform } from "../../../components/platforms/kubernetes/platform";
import { record, type RecordedResource } from "../../support/record";
import { DATABASE, ENTRY } from "./workloads";

const images = {
  patroni: "registry.example.com/patroni:1",
  haproxy: "registry.example.com/haproxy@sha256:00",
};

describe("a program on Kubernetes", () => {
  let resources: readonly RecordedResource[];
  let exposed: readonly string[];
  beforeAll(async () => {
    resources = await record(
      async () => {
        const platform = new KubernetesPlatform({
          cluster: "pg",
          namespace: "postgres",
          images,
          exposeAs: "LoadBalancer",
        });
        const parent = new pulumi.ComponentResource("test:index:Part", "part");
        platform.secret("database-tls", { "tls.key": pulumi.secret("MARKER-KEY") }, { parent });
        platform.secret("patroni", { "patroni.yml": "MARKER-PLAIN" }, { parent });
        platform.deploy(DATABASE, { parent });
        platform.deploy(ENTRY, { parent });
        expect(platform.replicaAddress("database", 1)).toBe(
          "pg-database-1.pg-database.postgres.svc.cluster.local",
        );
        expect(platform.serviceAddress("database")).toBe("pg-database-ready.postgres.svc.cluster.local");
        expect(platform.reachableFromHere("database", 1, 5432)).toEqual({
          via: "kubernetes",
          namespace: "postgres",
          pod: "pg-database-1",
          port: 5432,
        });
        exposed = await new Promise((resolve) => platform.exposedAddresses(ENTRY, "write").apply(resolve));
        expect(() => platform.exposedAddresses(ENTRY, "direct-write")).toThrow(
          'does not expose a port "direct-write"',
        );
      },
      {
        outputs: (_type, name) =>
          name === "pg-entry-exposed"
            ? { status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } } }
            : undefined,
      },
    );
  });
  const named = (name: string): RecordedResource => resources.find((r) => r.name === name)!;

  test("registers what a workload is made of", () => {
    expect(
      resources
        .filter((r) => r.type.startsWith("kubernetes:"))
        .map((r) => `${r.type.split(":").at(-1)} ${r.name.replace(/-[0-9a-f]{10,}$/, "-<digest>")}`)
        .sort(),
    ).toEqual([
      "ConfigMap pg-database-etc-patroni-<digest>",
      "ConfigMap pg-database-etc-patroni-bootstrap",
      "Namespace pg-namespace",
      "NetworkPolicy pg-database",
      "NetworkPolicy pg-database-from-haproxy",
      "NetworkPolicy pg-database-from-patroni",
      "NetworkPolicy pg-default-deny",
      "NetworkPolicy pg-entry",
      "NetworkPolicy pg-entry-from-patroni",
      "NetworkPolicy pg-names",
      "PodDisruptionBudget pg-database",
      "PodDisruptionBudget pg-entry",
      "Secret pg-database-tls-secret",
      "Secret pg-patroni-secret",
      "Service pg-database",
      "Service pg-database-ready",
      "Service pg-entry",
      "Service pg-entry-exposed",
      "Service pg-entry-ready",
      "StatefulSet pg-database",
      "StatefulSet pg-entry",
    ]);
  });

  test("calls an object that others take the place of by its own name, so that whoever goes back finds it and does not delete it", () => {
    const immutable = resources.filter(({ inputs }) => inputs["immutable"] === true);
    expect(immutable).not.toEqual([]);
    for (const { name, inputs } of immutable)
      expect(name).toBe((inputs["metadata"] as { name: string }).name);
  });

  test("shows no secret", () => {
    expect(JSON.stringify(resources)).not.toContain("MARKER");
    expect(named("pg-patroni-secret").inputs["stringData"]).toBe("[secret]");
  });

  test("starts members when what they mount is there", () => {
    const set = resources.find((r) => r.type.endsWith(":StatefulSet") && r.name === "pg-database")!;
    expect(set.dependsOn).toEqual([
      "pg-database",
      "pg-database",
      "pg-database",
      "pg-database-etc-patroni-bootstrap",
      expect.stringMatching(/^pg-database-etc-patroni-[0-9a-f]+$/),
      "pg-database-from-haproxy",
      "pg-database-from-patroni",
      "pg-database-ready",
      "pg-database-tls-secret",
      "pg-patroni-secret",
    ]);
  });

  test("runs in a namespace that allows restricted pods only", () => {
    expect(named("pg-namespace").inputs["metadata"]).toMatchObject({
      name: "postgres",
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
  });

  test("keeps the namespace, and with it the volumes' claims, when everything else is destroyed (D5)", () => {
    expect(named("pg-namespace").options).toMatchObject({ protect: true, retainOnDelete: true });
  });

  test("enlarges the volumes of workloads that have some, and leaves their StatefulSet alone for it (D5)", () => {
    const claims = resources.filter(({ type }) => type.endsWith(":VolumeClaims"));
    expect(claims.map(({ name, inputs, dependsOn }) => ({ name, size: inputs["size"], dependsOn }))).toEqual([
      { name: "pg-database-volumes", size: "10Gi", dependsOn: ["pg-database"] },
    ]);
    const sets = resources.filter(({ type }) => type.endsWith(":StatefulSet"));
    for (const { options } of sets) expect(options.ignoreChanges).toEqual(["spec.volumeClaimTemplates"]);
  });

  test("the load balancer comes first, then the name inside", () => {
    expect(exposed).toEqual(["192.0.2.7:6432", "pg-entry-exposed.postgres.svc.cluster.local:6432"]);
  });

  test("has unique URNs", () => {
    expect(new Set(resources.map((r) => r.urn)).size).toBe(resources.length);
  });
});

test("up comes to members through the API server, or straight from networks that the platform is told", async () => {
  const resources = await record(async () => {
    const platform = new KubernetesPlatform({
      ...{ cluster: "pg", namespace: "postgres", images },
      directFrom: ["10.20.0.0/16"],
    });
    platform.deploy(ENTRY, { parent: new pulumi.ComponentResource("test:index:Part", "part") });
    expect(platform.reachableFromHere("database", 1, 5432)).toMatchObject({
      pod: "pg-database-1",
      address: "pg-database-1.pg-database.postgres.svc.cluster.local",
    });
  });
  const policy = resources.find(({ type, name }) => type.endsWith(":NetworkPolicy") && name === "pg-entry");
  expect(JSON.stringify(policy?.inputs)).toContain('"ipBlock":{"cidr":"10.20.0.0/16"}');
});
