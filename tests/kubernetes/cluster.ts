import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildImages, publishedImages } from "../../commands/images";
import { capture, onPath, PROJECT } from "../../commands/engine";
import { IMAGES } from "../../config-files/images";
import { eventually, type Settings, TestStack } from "../support/stack";
import type { WriterTarget } from "../support/writer";
import { kubectl } from "./applier";

const TOOL = join(PROJECT, "tools/kubernetes/cluster.sh");
const OURS = "/var/lib/postgres-cluster-kubernetes/kubeconfig";

/** The cluster that KUBECONFIG names, or the one that `make kube-up` started on this machine. */
const ours = process.env["KUBECONFIG"] === undefined || process.env["KUBECONFIG"] === OURS;
export const withKubernetes = !ours || existsSync(OURS);
if (withKubernetes) {
  process.env["KUBECONFIG"] ??= OURS;
  if (!onPath("kubectl")) process.env["KUBECTL"] ??= `${TOOL} kubectl`;
  // What the program registers is applied by these where there is no Pulumi CLI.
  process.env["LOCAL_ENGINE_PROVIDERS"] = join(__dirname, "applier.ts");
} else console.log("skipped: suites on Kubernetes need a cluster: KUBECONFIG, or make kube-up");

export const NAMESPACE = "pg-kube";
export const MEMBERS = 3;

/** Prod as it is, in small sizes. Images come from the Docker engine of this machine, so their registry is its name for them. */
export const stack = new TestStack({
  name: "kube",
  cluster: "pg-kube",
  folder: "kubernetes",
  over: { environment: "prod", namespace: NAMESPACE, citus: "off" },
});

const REGISTRY = process.env["TEST_REGISTRY"] ?? "docker.io/postgres-cluster";

/** Builds the images and gives them to the cluster. */
export async function provideImages(): Promise<void> {
  const built = await buildImages(REGISTRY, IMAGES);
  if (ours) await capture(TOOL, ["load", ...built.map(({ reference }) => reference)]);
}

export const PARAMETERS = { shared_buffers: "192MB", max_connections: 100 };
// Two cores hold all of it, with five members of etcd.
const etcd = { members: 3, memory: "256Mi", cpu: "125m", volumeSize: "1Gi" };
const patroni = {
  members: MEMBERS,
  memory: "768Mi",
  cpu: "350m",
  volumeSize: "1Gi",
  parameters: PARAMETERS,
};

/** The stack's settings, with `over` for its Patroni members, and what is said of etcd's. */
export const configure = (over: Settings = {}, overEtcd: Settings = {}): void => {
  const tags = Object.fromEntries(publishedImages(REGISTRY, IMAGES).map(({ name, tag }) => [name, tag]));
  stack.configure({
    images: { registry: REGISTRY, tags },
    etcd: { ...etcd, ...overEtcd },
    patroni: { ...patroni, ...over },
    proxy: { entries: 2, writePools: 2, readPools: 2, poolSize: 10, cpu: "20m" },
  });
};

/** Runs a command in a member. */
export const inPod = async (pod: string, ...command: string[]): Promise<string> =>
  (await kubectl(["exec", "--namespace", NAMESPACE, pod, "--", ...command])).trim();

interface Member {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
}

/** Waits until one of the members leads and all others stream from it; resolves with the leader's name. */
export const whole = (members = MEMBERS): Promise<string> =>
  eventually("the cluster is whole", 300_000, async () => {
    const failures: string[] = [];
    for (let i = 0; i < members; i++) {
      try {
        const all = JSON.parse(
          await inPod(stack.member("patroni", i), "patronictl", "list", "--format", "json"),
        ) as Member[];
        const leader = all.find((m) => m.Role === "Leader" && m.State === "running");
        if (
          leader &&
          all.filter((m) => m.State === "streaming").length === members - 1 &&
          all.length === members
        )
          return leader.Member;
        failures.push(JSON.stringify(all));
      } catch (error) {
        failures.push(String(error));
      }
    }
    throw new Error(failures.join("\n"));
  });

/** As whom and where clients on this machine connect: at the Service's address, under the Service's name. */
export async function target(role: string, endpoint: "write" | "read" = "write"): Promise<WriterTarget> {
  const given = await stack.target(role, endpoint);
  const [host = "", port = ""] = (given.addresses.at(-1) ?? "").split(":");
  const [service = ""] = host.split(".");
  const address = await kubectl([
    ...["get", "service", service, "--namespace", NAMESPACE],
    ...["--output", "jsonpath={.spec.clusterIP}"],
  ]);
  return { ...given, addresses: [`${address}:${port}`], serverName: host };
}

export interface PodRow {
  readonly name: string;
  readonly uid: string;
  readonly started: string;
  readonly image: string;
}

export async function podsOf(workload: string): Promise<readonly PodRow[]> {
  const selector = `app.kubernetes.io/instance=${stack.cluster},app.kubernetes.io/name=${workload}`;
  const { items } = JSON.parse(
    await kubectl(["get", "pods", "--namespace", NAMESPACE, "--selector", selector, "--output=json"]),
  ) as {
    items: {
      metadata: { name: string; uid: string };
      status: { startTime: string };
      spec: { containers: { image: string }[] };
    }[];
  };
  return items.map(({ metadata: { name, uid }, status, spec }) => ({
    name,
    uid,
    started: status.startTime,
    image: spec.containers[0]?.image ?? "",
  }));
}
