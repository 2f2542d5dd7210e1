import * as pulumi from "@pulumi/pulumi";
import { DockerPlatform } from "../../../components/platforms/docker/platform";
import type { RunningMembers } from "../../../components/platforms/docker/replacement-order";
import type { Platform } from "../../../components/platforms/platform";
import { record, type RecordedResource } from "../../support/record";
import { DATABASE, ENTRY } from "./workloads";

const leader: RunningMembers = {
  list: (names) => Promise.resolve(names.map((name) => ({ name, running: true, healthy: true }))),
  ask: () => Promise.resolve("pg-dev-database-0"),
};
const nothing: RunningMembers = { list: () => Promise.resolve([]), ask: () => Promise.resolve(undefined) };

async function program(runningMembers: RunningMembers = leader): Promise<readonly RecordedResource[]> {
  return record(() => {
    const platform = new DockerPlatform({ cluster: "pg-dev", runningMembers });
    const parent = new pulumi.ComponentResource("test:index:Part", "part");
    platform.secret("database-tls", { "tls.key": pulumi.secret("MARKER-KEY") }, { parent });
    platform.secret(
      "patroni",
      { "patroni.yml": pulumi.secret("MARKER-PASSWORD"), "plain.yml": "MARKER-PLAIN" },
      { parent },
    );
    platform.deploy({ ...DATABASE, replicas: 3 }, { parent }).ready();
    platform.deploy(ENTRY, { parent }).ready();
    platform.deploy({ ...ENTRY, name: "second", exposed: undefined }, { parent }).ready();
  });
}
const named = (resources: readonly RecordedResource[], name: string): RecordedResource =>
  resources.find((r) => r.name === name) ?? fail(`no ${name} in ${resources.map((r) => r.name).join(", ")}`);
const fail = (message: string): never => {
  throw new Error(message);
};

describe("a program on Docker", () => {
  let resources: readonly RecordedResource[];
  beforeAll(async () => void (resources = await program()));

  test("registers what a workload is made of", () => {
    const count = (type: string): number => resources.filter((r) => r.type.endsWith(type)).length;
    expect({
      networks: count(":Network"),
      images: count(":RemoteImage"),
      volumes: count(":Volume"),
      files: count(":MountedFiles"),
      containers: count(":Container"),
      ready: count(":AllReady"),
    }).toEqual({ networks: 1, images: 2, volumes: 3 + 2 + 1, files: 3, containers: 7, ready: 3 });
  });

  test("shows no secret", () => {
    expect(JSON.stringify(resources)).not.toContain("MARKER");
    expect(named(resources, "pg-dev-secret-patroni-content")).toMatchObject({
      inputs: { files: "[secret]" },
      options: { additionalSecretOutputs: expect.arrayContaining(["files"]) },
    });
  });

  test("shows configuration, which is no secret", () => {
    expect(named(resources, "pg-dev-database-files-etc-patroni-bootstrap-content").inputs["files"]).toEqual({
      "bootstrap.yml": "bootstrap: {}\n",
    });
  });

  test("replaces one member at a time and the leader last", () => {
    const waits = (name: string): string[] =>
      named(resources, name).dependsOn.filter((d) => /-(handover|ready)$|-[0-9]$/.test(d));
    expect(waits("pg-dev-database-1-handover")).toEqual([]);
    expect(waits("pg-dev-database-1")).toEqual(["pg-dev-database-1-handover"]);
    expect(waits("pg-dev-database-1-ready")).toEqual(["pg-dev-database-1"]);
    expect(waits("pg-dev-database-2-handover")).toEqual(["pg-dev-database-1-ready"]);
    expect(waits("pg-dev-database-0-handover")).toEqual(["pg-dev-database-2-ready"]);
  });

  test("starts a container when its files, its image, its network and its volume are there", () => {
    expect(named(resources, "pg-dev-database-0").dependsOn).toEqual([
      "pg-dev-database-0-data",
      "pg-dev-database-0-handover",
      "pg-dev-database-files-etc-patroni-bootstrap-content",
      "pg-dev-database-leaving",
      "pg-dev-image-patroni",
      "pg-dev-network",
      "pg-dev-secret-database-tls-content",
      "pg-dev-secret-patroni-content",
    ]);
  });

  test("is ready when all members are", () => {
    expect(named(resources, "pg-dev-database-ready").dependsOn).toEqual(
      [0, 1, 2].flatMap((i) => [`pg-dev-database-${i}`, `pg-dev-database-${i}-ready`]),
    );
  });

  test("keeps data volumes, and nothing else", () => {
    expect(resources.filter((r) => r.options.retainOnDelete).map((r) => r.name)).toEqual([
      ...["pg-dev-database-0-data", "pg-dev-database-1-data", "pg-dev-database-2-data"],
    ]);
  });

  test("builds an image once, keeps it, and names it by its content", () => {
    const image = named(resources, "pg-dev-image-haproxy");
    expect(image.inputs).toMatchObject({
      keepLocally: true,
      triggers: { content: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(named(resources, "pg-dev-entry-0").inputs["image"]).toBe(image.inputs["name"]);
    expect(named(resources, "pg-dev-second-0").inputs["image"]).toBe(image.inputs["name"]);
  });

  test("has unique names", () => {
    const names = resources.map((r) => r.name);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("where nothing runs yet, members start together", async () => {
  const resources = await program(nothing);
  for (const i of [0, 1, 2]) {
    expect(
      named(resources, `pg-dev-database-${i}-handover`).dependsOn.filter((d) => d.endsWith("-ready")),
    ).toEqual([]);
  }
});

describe("a mistake is told in the caller's words", () => {
  test.each<[string, (p: Platform, parent: pulumi.Resource) => unknown]>([
    [
      'Image "none" does not exist. Use one of etcd, patroni',
      (p, parent) => p.deploy({ ...ENTRY, image: "none" }, { parent }),
    ],
    [
      'entry.secrets[/s]: secret "x" does not exist',
      (p, parent) => p.deploy({ ...ENTRY, secrets: { "/s": { name: "x" } } }, { parent }),
    ],
    ['entry does not expose a port "admin"', (p) => p.exposedAddresses(ENTRY, "admin")],
    [
      'The secret "twice" is declared twice',
      (p, parent) => [1, 2].map(() => p.secret("twice", {}, { parent })),
    ],
  ])("%s", async (message, use) => {
    let thrown = "";
    await record(() => {
      const platform = new DockerPlatform({ cluster: "pg-dev", runningMembers: nothing });
      const parent = new pulumi.ComponentResource("test:index:Part", "part");
      try {
        use(platform, parent);
      } catch (error) {
        thrown = (error as Error).message;
      }
    });
    expect(thrown).toContain(message);
  });
});

test("addresses are known before anything exists", async () => {
  await record(() => {
    const platform = new DockerPlatform({ cluster: "pg-dev", runningMembers: nothing });
    expect(platform.replicaAddress("etcd", 1)).toBe("pg-dev-etcd-1");
    expect(platform.serviceAddress("etcd")).toBe("pg-dev-etcd");
    expect(platform.reachableFromHere("etcd", 1, 2379)).toEqual({
      via: "docker",
      container: "pg-dev-etcd-1",
      port: 2379,
    });
    expect(platform.exposedAddresses(ENTRY, "read")).toEqual(["127.0.0.1:15433", "127.0.0.1:15443"]);
  });
});
