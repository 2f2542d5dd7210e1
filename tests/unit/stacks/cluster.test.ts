import { IMAGES } from "../../../config-files/images";
import { problemsOf } from "../../../stacks/preflight";
import { dev } from "../../../stacks/dev";
import { prod } from "../../../stacks/prod";
import type { RecordedResource } from "../../support/record";
import { recordStack, settingsOf } from "../../support/specs";

interface StatefulSetInputs {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly resources?: Record<string, unknown> }[] };
    };
  };
}

const SHAPES = {
  replicated: { components: ["PatroniCluster"], databases: ["patroni"] },
  distributed: {
    components: ["CitusCoordinator", "WorkerPool"],
    databases: ["coordinator", "worker-1", "worker-2"],
  },
} as const;

describe.each([
  ["dev", "replicated"],
  ["dev", "distributed"],
  ["prod", "replicated"],
  ["prod", "distributed"],
] as const)("the %s stack, %s", (stack, shape) => {
  const { components: own, databases } = SHAPES[shape];
  const workloads = ["etcd", "haproxy", ...databases, "pool-read", "pool-write"].sort();
  let resources: readonly RecordedResource[];
  beforeAll(async () => {
    ({ resources } = await recordStack(stack, shape === "distributed"));
  });

  test("has the components of the drawing (C3)", () => {
    const components = resources
      .map((r) => r.type)
      .filter((type) => type.startsWith("postgres-cluster:index:"));
    expect(new Set(components)).toEqual(
      new Set(
        [
          "ClusterCertificates",
          "EtcdCluster",
          ...own,
          "ProxyTier",
          stack === "dev" ? "DockerPlatform" : "KubernetesPlatform",
        ].map((name) => `postgres-cluster:index:${name}`),
      ),
    );
  });

  if (shape === "distributed")
    test("changes its worker groups after the coordinators, and so stops them before (D8)", () => {
      const [member, coordinator] =
        stack === "dev"
          ? ["pg-worker-1-0", "pg-coordinator-2-healthy"]
          : ["pg-worker-1", "pg-coordinator-rollout"];
      const starts = resources.filter((r) => r.name === member && /:(Container|StatefulSet)$/.test(r.type));
      expect(starts.map((r) => r.dependsOn)).toEqual([expect.arrayContaining([coordinator])]);
    });

  test("uses its own platform's resources and none of the other's (C4)", () => {
    const [mine, other] = stack === "dev" ? ["docker:", "kubernetes:"] : ["kubernetes:", "docker:"];
    expect(resources.some((r) => r.type.startsWith(mine))).toBe(true);
    expect(resources.filter((r) => r.type.startsWith(other))).toEqual([]);
  });

  test("whoever answers behind the entry has a certificate for the names of the entry (D9)", () => {
    const entry = stack === "dev" ? "pg-haproxy" : "pg-haproxy-ready.postgres.svc.cluster.local";
    const first = stack === "dev" ? "pg-haproxy-0" : "pg-haproxy-0.pg-haproxy.postgres.svc.cluster.local";
    for (const workload of [databases[0], "pool-write", "pool-read"]) {
      const certificate = resources.find((r) => r.name === `${workload}-certificate`);
      expect(certificate?.inputs["dnsNames"]).toEqual(expect.arrayContaining([entry, first]));
    }
  });

  if (stack === "prod")
    test("pods with data are Guaranteed: what they ask for is what they get, of memory and CPU", () => {
      const sets = resources.filter(({ type }) => type.endsWith(":StatefulSet"));
      const amounts = sets.map(({ name, inputs }) => {
        const [container] = (inputs as unknown as StatefulSetInputs).spec.template.spec.containers;
        return [name.replace(/^pg-/, ""), container?.resources] as const;
      });
      for (const workload of ["etcd", ...databases]) {
        const { requests, limits } = Object.fromEntries(amounts)[workload] ?? {};
        expect(limits).toEqual({ cpu: expect.any(String), memory: expect.any(String) });
        expect(requests).toEqual(limits);
      }
    });

  test("every resource is below a component, and names are unique by type", () => {
    const orphans = resources.filter(
      (r) =>
        r.parent === "" && !r.type.startsWith("postgres-cluster:index:") && r.type !== "pulumi:pulumi:Stack",
    );
    expect(orphans.map((r) => `${r.type} ${r.name}`)).toEqual([]);
    const names = resources.map((r) => `${r.type} ${r.name}`);
    expect(names).toHaveLength(new Set(names).size);
  });

  test("no generated password or key is anywhere in clear (D9)", () => {
    const text = JSON.stringify(resources.map((r) => r.inputs));
    expect(text).not.toMatch(/password-of-|key-of-/);
    expect(text).toMatch(/\[secret\]/);
  });

  test("runs the same workloads as the other stack", () => {
    const names =
      stack === "dev"
        ? resources
            .filter((r) => r.type.endsWith(":Container"))
            .map((r) => String(r.inputs["name"]).replace(/^pg-(.*)-\d+$/, "$1"))
        : resources
            .filter((r) => r.type.endsWith(":StatefulSet"))
            .map((r) => (r.inputs["metadata"] as { name: string }).name.replace(/^pg-/, ""));
    expect([...new Set(names)].sort()).toEqual(workloads);
  });
});

describe("problems are told before any resource exists (F6)", () => {
  test("the shipped stacks have none but what their owner must fill in", async () => {
    expect(
      await problemsOf(settingsOf("dev"), { ...dev, problems: async () => Promise.resolve([]) }, true),
    ).toEqual([]);
    const written = {
      images: {
        registry: "registry.test",
        tags: Object.fromEntries(Object.keys(IMAGES).map((n) => [n, "1"])),
      },
    };
    expect(await problemsOf(settingsOf("prod", written), prod, true)).toEqual([]);
  });

  test("all of them at once, whichever component finds them", async () => {
    const written = {
      etcd: { members: 4 },
      patroni: {
        members: 8,
        timing: { ttlSeconds: 10 },
        synchronous: "strict",
        parameters: { fsync: "off", shared_bufers: "1GB", work_mem: "lots" },
      },
      proxy: { ports: { write: 6432, read: 6432 } },
      certificates: { days: 1000 },
      images: { tags: { patroni: "latest" }, postgresPackages: ["postgresql-17-cron"] },
    };
    const settings = (await problemsOf(settingsOf("prod", written), prod, true)).map(
      (problem) => problem.setting,
    );
    for (const setting of [
      "etcd.members",
      "patroni.members",
      "patroni.timing.ttlSeconds",
      "patroni.parameters.fsync",
      "patroni.parameters.shared_bufers",
      "patroni.parameters.work_mem",
      "proxy.ports.read",
      "certificates.days",
      "images.registry",
      "images.tags.patroni",
      "images.postgresPackages",
    ]) {
      expect(settings).toContain(setting);
    }
  });

  test("a package's name is no way to add words to the build's commands", async () => {
    const written = { images: { postgresPackages: ["postgresql-17-cron", "x; rm -rf /"] } };
    const problems = await dev.problems(settingsOf("dev", written), { ports: [], workerGroups: [] });
    expect(problems.map(({ setting, value }) => ({ setting, value }))).toEqual([
      { setting: "images.postgresPackages", value: "x; rm -rf /" },
    ]);
  });

  test("one etcd member is a trial's only, with a word about it", async () => {
    const problems = await problemsOf(settingsOf("prod", { etcd: { members: 1 } }), prod, true);
    expect(problems.map((problem) => problem.setting)).toContain("etcd.members");
  });
});
