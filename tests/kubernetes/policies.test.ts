import type { WorkloadSpec } from "../../components/platforms/workload";
import { onKubernetes } from "../support/promises";
import { recordStack } from "../support/specs";
import { eventually } from "../support/stack";
import { kubectl } from "./kubectl";
import { NAMESPACE, removeBystander, startBystander } from "./bystander";
import { KubernetesStack, POD_NETWORK } from "./cluster";
import { enforcePolicies, ignorePolicies, reachedFrom, type Target, withPolicies } from "./policies";
import { WriteGaps } from "./write-gaps";

const MEMBERS = 2;
/** Two of everything: each member has another one of its kind to reach. */
const stack = new KubernetesStack("kube-policies", {
  etcd: { members: 3, memory: "256Mi", cpu: "125m", volumeSize: "1Gi" },
  patroni: {
    ...{ members: MEMBERS, memory: "640Mi", cpu: "300m", volumeSize: "1Gi" },
    parameters: { shared_buffers: "128MB", max_connections: 100 },
  },
  proxy: { entries: 2, writePools: 2, readPools: 2, poolSize: 10, drainSeconds: 10, cpu: "20m" },
});
const gaps = new WriteGaps(stack, MEMBERS);
const STRANGER = `${stack.cluster}-stranger`;
const API_SERVER = "the API server";

if (withPolicies && !stack.canRunInside)
  console.log(
    "skipped: networks of directFrom need the CLI of tools/pulumi and the cluster that make kube-up starts",
  );

type From = WorkloadSpec["ports"][string]["from"];

(withPolicies ? describe : describe.skip)("the prod stack where the network enforces policies (D9)", () => {
  /** What docs/network.md is made of. */
  let specs: readonly WorkloadSpec[];

  beforeAll(async () => {
    ({ specs } = await recordStack("prod"));
    await enforcePolicies();
    await stack.start();
    await stack.prepareWrites();
    const [member] = await stack.podsOf("patroni");
    await startBystander(STRANGER, member?.image ?? "");
  });
  afterAll(async () => {
    gaps.report();
    if (process.env["KEEP_STACK"]) return;
    await removeBystander(STRANGER);
    await stack.remove();
    await ignorePolicies();
  });

  /** Every port of every workload, in a pod that is not `but`, and the API server. */
  async function targets(but: string): Promise<readonly Target[]> {
    const found: Target[] = [];
    for (const { name, ports } of specs) {
      const address = (await stack.podsOf(name)).findLast((pod) => pod.name !== but)?.address ?? "";
      for (const { port } of Object.values(ports)) found.push({ name: `${name}:${port}`, address, port });
    }
    const address = await kubectl([
      ...["get", "service", "kubernetes", "--namespace", "default"],
      ...["--output", "jsonpath={.spec.clusterIP}"],
    ]);
    return [...found, { name: API_SERVER, address, port: 443 }];
  }

  const admitted = (admits: (from: From) => boolean): readonly string[] =>
    specs.flatMap(({ name, ports }) =>
      Object.values(ports)
        .filter(({ from }) => admits(from))
        .map(({ port }) => `${name}:${port}`),
    );

  /** Resolves when a pod reaches just these: a policy takes a moment to reach a network. */
  const reaches = (namespace: string, pod: string, expected: readonly string[]): Promise<void> =>
    eventually(`${pod} reaches what it may`, 60_000, async () => {
      expect(await reachedFrom(namespace, pod, await targets(pod))).toEqual([...expected].sort());
    });

  test("each program reaches what docs/network.md says and nothing else", async () => {
    expect(specs.map(({ name }) => name).sort()).toEqual([
      ...["etcd", "haproxy", "patroni", "pool-read", "pool-write"],
    ]);
    for (const { name, image } of specs) {
      await reaches(
        stack.namespace,
        stack.member(name, 0),
        admitted((from) => from !== "anybody" && from.includes(image)),
      );
    }
  });

  test("a client in another namespace reaches the entry, and no member", () =>
    reaches(NAMESPACE, STRANGER, [...admitted((from) => from === "anybody"), API_SERVER]));

  test("the leader's pod is deleted: it hands over first, and no transaction fails (H1)", async () => {
    const report = await gaps.during(
      onKubernetes("The leader's pod is deleted, or evicted"),
      (leader) => stack.deletePod(leader),
      {
        maxLifetimeMs: 3000,
      },
    );
    expect(report.errors).toEqual([]);
  });

  (stack.canRunInside ? test : test.skip)("networks of directFrom reach every member, too", async () => {
    stack.configure({ kubernetes: { directFrom: [POD_NETWORK] } });
    await stack.upInside();
    await reaches(NAMESPACE, STRANGER, [...admitted(() => true), API_SERVER]);
  });
});
