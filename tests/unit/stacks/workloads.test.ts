import { stringify } from "yaml";
import { renderDocker } from "../../../components/platform/docker/render";
import { renderKubernetes } from "../../../components/platform/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platform/workload";
import { expectGolden } from "../../support/golden";
import { recordStack, type StackName } from "../../support/specs";
import { KUBERNETES } from "../platform/contexts";

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
