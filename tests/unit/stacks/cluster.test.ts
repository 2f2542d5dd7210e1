import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { renderDocker } from "../../../components/platforms/docker/render";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { networkTable } from "../../../stacks/network-table";
import { expectGolden } from "../../support/golden";
import type { RecordedResource } from "../../support/record";
import { recordStack, type StackName } from "../../support/specs";
import { KUBERNETES } from "../platforms/contexts";
import { onDocker, onKubernetes } from "../platforms/facts";

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
          ? ["pg-worker-1-0", "pg-coordinator-2-ready"]
          : ["pg-worker-1", "pg-coordinator-rollout"];
      const starts = resources.filter((r) => r.name === member && /:(Container|StatefulSet)$/.test(r.type));
      expect(starts.map((r) => r.dependsOn)).toEqual([expect.arrayContaining([coordinator])]);
    });

  test("whoever leaves is found, and believed to be who he is, until he has handed over (D5)", () => {
    const dependsOn = (name: RegExp): readonly string[][] =>
      resources.filter((r) => name.test(r.name)).map((r) => [...r.dependsOn]);
    for (const workload of ["etcd", ...databases])
      expect(dependsOn(new RegExp(`^${workload}-certificate$`))).toEqual([
        expect.arrayContaining([`${workload.replace("worker-", "workers-")}-membership`]),
      ]);
    // What the entries and the pools know of the members.
    const files =
      stack === "dev"
        ? /-(haproxy|pool-\w+)-files-etc-(haproxy|pgbouncer)-content$/
        : /-(haproxy|pool-\w+)-etc-(haproxy|pgbouncer)/;
    expect(dependsOn(files)).toHaveLength(3);
    for (const names of dependsOn(files)) expect(names).toContain(`${databases[0]}-membership`);
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

const WORKLOADS = ["coordinator", "etcd", "haproxy", "patroni", "pool-read", "pool-write", "worker-1"];

/** Members of one workload differ in name and ordinal only; the first stands for all. */
describe("every workload of the stack reads as its golden, on both platforms (F2)", () => {
  let docker: ReadonlyMap<string, WorkloadSpec>;
  let kubernetes: ReadonlyMap<string, WorkloadSpec>;
  const byName = (specs: readonly WorkloadSpec[]) => new Map(specs.map((spec) => [spec.name, spec]));
  beforeAll(async () => {
    const both = async (stack: StackName) => [
      ...(await recordStack(stack, true)).specs,
      // Of its shape, the proxies are the same but for the database that they stand before.
      ...(await recordStack(stack)).specs,
    ];
    docker = byName(await both("dev"));
    kubernetes = byName(await both("prod"));
  });

  test("both have the same workloads", () => {
    const all = [...WORKLOADS, "worker-2"].sort();
    expect([...docker.keys()].sort()).toEqual(all);
    expect([...kubernetes.keys()].sort()).toEqual(all);
  });

  test.each(WORKLOADS)("%s on Docker", (name) => {
    const image = `postgres-cluster/${docker.get(name)!.image}:1`;
    const { members } = renderDocker(docker.get(name)!, { cluster: "pg", network: "pg", image });
    expectGolden(`stack/docker/${name}.json`, `${JSON.stringify(members[0], null, 2)}\n`);
  });

  test.each(WORKLOADS)("%s on Kubernetes", (name) => {
    const spec = kubernetes.get(name)!;
    const image = `registry.test/${spec.image}:1`;
    const rendered = renderKubernetes(spec, { ...KUBERNETES, cluster: "pg", image });
    const manifests = [
      ...rendered.services,
      ...rendered.configMaps.map((c) => c.manifest),
      ...rendered.networkPolicies,
      rendered.podDisruptionBudget,
      rendered.statefulSet,
    ];
    const text = manifests
      .map((m) => `---\n${stringify(m, { aliasDuplicateObjects: false, version: "1.1" })}`)
      .join("");
    expectGolden(`stack/kubernetes/${name}.yaml`, text);
  });

  test("no address of one platform is in the other's description", () => {
    expect(JSON.stringify([...docker.values()])).not.toContain("svc.cluster.local");
    const text = JSON.stringify(kubernetes.get("patroni")!.configuration);
    expect(text).toContain("pg-etcd-0.pg-etcd.postgres.svc.cluster.local:2379");
  });
});

/** A description without the addresses of a platform: members and services by their names. */
const withoutAddresses = (specs: readonly WorkloadSpec[]): unknown =>
  JSON.parse(
    JSON.stringify(specs)
      .replaceAll(/\b(pg-[a-z0-9-]+-\d+)\.pg-[a-z0-9-]+\.postgres\.svc\.cluster\.local/g, "$1")
      .replaceAll(/\b(pg-[a-z0-9-]+)-(?:ready|exposed)\.postgres\.svc\.cluster\.local/g, "$1"),
  );

test.each(["dev", "prod"] as const)(
  "%s is the same on both platforms, down to the files, up to addresses (F2)",
  async (stack) => {
    const { specs: forDocker } = await recordStack(stack, true, "dev");
    const { specs: forKubernetes } = await recordStack(stack, true, "prod");
    expect(withoutAddresses(forKubernetes)).toEqual(withoutAddresses(forDocker));
    for (const spec of forDocker) expect(onDocker(spec)).toEqual(onKubernetes(spec));
  },
);

const FILE = path.join(__dirname, "../../../docs/network.md");
const MARKS = /(<!-- network: .* -->\n)[^]*(<!-- \/network -->)/;

test("the table of who talks to whom is what the network policies are made of (make golden writes it)", async () => {
  const { specs } = await recordStack("prod", true);
  const table = networkTable(specs.filter(({ name }) => name !== "worker-2"));
  const text = fs.readFileSync(FILE, "utf8");
  const wanted = text.replace(MARKS, (_, begin: string, end: string) => `${begin}${table}${end}`);
  if (process.env["UPDATE_GOLDENS"]) fs.writeFileSync(FILE, wanted);
  else expect(text).toBe(wanted);
  expect(text).toMatch(MARKS);
});
