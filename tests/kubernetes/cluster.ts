import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildImages, publishedImages } from "../../commands/images";
import { capture, onPath, PROJECT } from "../../commands/programs";
import { pulumiProgram } from "../../commands/pulumi-program";
import { IMAGES, type Images } from "../../config-files/images";
import type { Reach } from "../../components/reach/reach";
import { clientEnvironment } from "../support/kubernetes-api";
import { ASK_PATRONI, type PatroniMember, type Settings, TestStack } from "../support/stack";
import type { Inside } from "../support/inside";
import type { WriterTarget } from "../support/writer";
import { kubectl } from "./kubectl";
import { Deployer } from "./deployer";
import { pods } from "./inside";

export const TOOL = join(PROJECT, "tools/kubernetes/cluster.sh");
const OURS = "/var/lib/postgres-cluster-kubernetes/kubeconfig";

/** The cluster that KUBECONFIG names, or the one that `make kube-up` started on this machine. */
export const ours = process.env["KUBECONFIG"] === undefined || process.env["KUBECONFIG"] === OURS;
export const withKubernetes = !ours || existsSync(OURS);
if (withKubernetes) {
  clientEnvironment["KUBECONFIG"] = process.env["KUBECONFIG"] ??= OURS;
  if (!onPath("kubectl")) process.env["KUBECTL"] ??= `${TOOL} kubectl`;
} else console.log("skipped: suites on Kubernetes need a cluster: KUBECONFIG, or make kube-up");

/** Whether the cluster of this machine can be given a further part, which is built when first asked for. */
export const canHave = (part: "cert-manager" | "policies"): boolean =>
  spawnSync(TOOL, ["possible", part]).status === 0;

/** Where its pods have their addresses. */
export const POD_NETWORK = "10.244.0.0/16";

// Images come from the Docker engine of this machine, so their registry is its name for them.
const REGISTRY = process.env["TEST_REGISTRY"] ?? "docker.io/postgres-cluster";

export interface PodRow {
  readonly name: string;
  readonly uid: string;
  readonly started: string;
  readonly image: string;
  /** Where it runs; empty while no node has been found for it. */
  readonly node: string;
  /** Empty until it runs. */
  readonly address: string;
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly startTime: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  readonly spec: {
    readonly containers: readonly { readonly image: string }[];
    readonly nodeName?: string;
  };
}

/** Prod as it is, in small sizes: two cores hold all of it, with five members of etcd. */
export const SMALL = {
  etcd: { members: 3, memory: "256Mi", cpu: "125m", volumeSize: "1Gi" },
  patroni: { members: 3, memory: "768Mi", cpu: "350m", volumeSize: "1Gi" },
  proxy: { entries: 2, writePools: 2, readPools: 2, poolSize: 10, drainSeconds: 10, cpu: "20m" },
} satisfies Settings;

/** A stack of the prod environment on the test's Kubernetes cluster, in a namespace of its own name. */
export class KubernetesStack extends TestStack {
  readonly namespace: string;
  override readonly inside: Inside;
  /** Of the images that `start` gives the cluster. */
  readonly tags: Readonly<Record<string, string>>;
  private readonly deployer: Deployer;

  /** `name` tells the stack apart from those of other suites, `settings` are what all its configurations have. */
  constructor(
    name: string,
    settings: Settings,
    private readonly images: Images = IMAGES,
  ) {
    const tags = Object.fromEntries(
      publishedImages(REGISTRY, images).map((image) => [image.name, image.tag]),
    );
    const cluster = `pg-${name}`;
    const over = {
      environment: "prod",
      namespace: cluster,
      citus: "off",
      images: { registry: REGISTRY, tags },
    };
    super({ name, cluster, ports: undefined, folder: `kubernetes-${name}`, over: { ...over, ...settings } });
    this.namespace = cluster;
    this.inside = pods(cluster);
    this.tags = tags;
    this.deployer = new Deployer(`${cluster}-deployer`, this.folder);
  }

  /** Gives the cluster the images, and brings the stack up from nothing with a deployer's rights alone; prints how long this took. */
  override async start(over: Settings = {}): Promise<string> {
    const built = await buildImages(REGISTRY, this.images);
    if (ours) await capture(TOOL, ["load", ...built.map(({ reference }) => reference)]);
    const started = Date.now();
    const output = await super.start(over);
    console.log(
      `${this.cluster} on Kubernetes, up from nothing: ${((Date.now() - started) / 1000).toFixed(1)} s`,
    );
    return output;
  }

  protected override account(): Promise<NodeJS.ProcessEnv> {
    return this.deployer.create();
  }

  protected override async exists(): Promise<boolean> {
    return (
      (await kubectl(["get", "namespace", this.namespace, "--ignore-not-found", "--output=name"])) !== ""
    );
  }

  protected override async removeStray(): Promise<void> {
    await kubectl(["delete", "namespace", this.namespace]);
  }

  /** A pod has this machine's folders only where it is the node, and of the CLI what tools/pulumi has got. */
  get canRunInside(): boolean {
    return ours && pulumiProgram()?.folder !== undefined;
  }

  /** `up` in a pod of the cluster that make kube-up started, with neither a kubeconfig nor the right to forward ports. */
  async upInside(): Promise<void> {
    const runner = publishedImages(REGISTRY, this.images).find(({ name }) => name === "patroni");
    const programs = (await capture(TOOL, ["programs"])).trim();
    await this.cli.prepare("up");
    await this.deployer.runInside(runner?.reference ?? "", programs, this.invocation("up", "--yes"));
  }

  override async remove(): Promise<void> {
    await this.run("state", "unprotect", "--all", "--yes");
    await this.run("destroy", "--yes");
    await kubectl(["delete", "namespace", this.namespace, "--ignore-not-found"]);
    await this.deployer.remove();
  }

  override addressOf(workload: string, ordinal: number): string {
    return `${this.member(workload, ordinal)}.${this.cluster}-${workload}.${this.namespace}.svc.cluster.local`;
  }

  override reachOf(pod: string, port: number): Reach {
    return { via: "kubernetes", namespace: this.namespace, pod, port };
  }

  kubectl = (...args: string[]): Promise<string> => kubectl([...args, "--namespace", this.namespace]);

  /** Runs a command in a member. */
  inPod = async (pod: string, ...command: string[]): Promise<string> =>
    (await kubectl(["exec", "--namespace", this.namespace, pod, "--", ...command])).trim();

  deletePod = (pod: string, ...how: string[]): Promise<string> =>
    this.kubectl("delete", "pod", pod, "--wait=false", ...how);

  private async pods(labels: string): Promise<readonly Pod[]> {
    const selector = `app.kubernetes.io/instance=${this.cluster}${labels}`;
    const listed = await this.kubectl("get", "pods", "--selector", selector, "--output=json");
    return (JSON.parse(listed) as { items: Pod[] }).items;
  }

  async podsOf(workload: string): Promise<readonly PodRow[]> {
    const pods = await this.pods(`,app.kubernetes.io/name=${workload}`);
    return pods.map(({ metadata: { name, uid }, status, spec }) => ({
      name,
      uid,
      started: status.startTime,
      image: spec.containers[0]?.image ?? "",
      node: spec.nodeName ?? "",
      address: status.podIP ?? "",
    }));
  }

  /** How many pods of each workload are ready. */
  async readyPods(): Promise<Record<string, number>> {
    const count: Record<string, number> = {};
    for (const { metadata, status } of await this.pods(""))
      if (status.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True")) {
        const workload = metadata.labels["app.kubernetes.io/name"] ?? "";
        count[workload] = (count[workload] ?? 0) + 1;
      }
    return count;
  }

  /** The kubelet looks at what is mounted once a minute; then the programs notice. */
  override readonly readsFilesWithinMs = 240_000;

  /** A pod takes longer to come than a container. */
  override whole(members: number): Promise<string> {
    return super.whole(members, 300_000);
  }

  override async patroni(): Promise<readonly PatroniMember[]> {
    const failures: unknown[] = [];
    for (const { name } of await this.podsOf("patroni"))
      try {
        return JSON.parse(await this.inPod(name, "/usr/bin/python3", "-c", ASK_PATRONI)) as PatroniMember[];
      } catch (error) {
        failures.push(error);
      }
    throw new Error(`no member answers: ${failures.map(String).join("\n")}`);
  }

  /** As whom and where clients on this machine connect: at the Service's address, under the Service's name. */
  override async target(role: string, endpoint: "write" | "read" = "write"): Promise<WriterTarget> {
    const given = await super.target(role, endpoint);
    const [host = "", port = ""] = (given.addresses.at(-1) ?? "").split(":");
    const [service = ""] = host.split(".");
    const address = await this.kubectl("get", "service", service, "--output", "jsonpath={.spec.clusterIP}");
    return { ...given, addresses: [`${address}:${port}`], serverName: host };
  }
}
