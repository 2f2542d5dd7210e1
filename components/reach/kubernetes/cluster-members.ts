/** A cluster's members as pods of a namespace. */
import type { ClusterMember, ClusterMembers } from "../cluster-members";
import { lineStream } from "../lines";
import { withTerminal } from "../terminal";
import { kubernetesClient, type Pod, type StatefulSet } from "./client";
import { platformHealth } from "./health/health";
import { replicaAddress } from "./names";
import { describePod, execInPod, exitCodeOf, refusalOf } from "./pods";

export interface KubernetesPlace {
  readonly cluster: string;
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** Two looks of a readiness check. A pod does not say whether it has been looked at yet. */
const FIRST_LOOKS_MS = 15_000;
const WORKLOAD = "app.kubernetes.io/name";

/** One word for what a pod is; `running` when its program runs, ready or not. */
export function stateOf(pod: Pod): string {
  const [container] = pod.status?.containerStatuses ?? [];
  const { running, waiting, terminated } = container?.state ?? {};
  if (pod.metadata?.deletionTimestamp !== undefined) return "ending";
  if (running !== undefined) return "running";
  // A program that ended waits to be started again, for longer each time.
  if (terminated !== undefined || waiting?.reason === "CrashLoopBackOff") return "restarting";
  return (pod.status?.phase ?? "unknown").toLowerCase();
}

const iso = (date: Date | string): string => new Date(date).toISOString();

/** A pod as a member; `address` is its name among the others. */
export function describeMember(pod: Pod, address: string, now: Date): ClusterMember {
  const { name, ready, state: words } = describePod(pod);
  const [container] = pod.status?.containerStatuses ?? [];
  const startedAt = container?.state?.running?.startedAt;
  const state = stateOf(pod);
  const young = startedAt !== undefined && now.getTime() - new Date(startedAt).getTime() < FIRST_LOOKS_MS;
  return {
    ...{ name, state, address },
    workload: pod.metadata?.labels?.[WORKLOAD] ?? "",
    readiness: ready ? "ready" : state === "running" && young ? "starting" : "unready",
    status: `${words}, ${ready ? "ready" : "not ready"}`,
    node: pod.spec?.nodeName ?? "",
    ...(startedAt !== undefined && { startedAt: iso(startedAt) }),
    restarts: container?.restartCount ?? 0,
  };
}

/** The pods that there are, and those that their StatefulSets should have. */
export function membersOf(
  pods: readonly Pod[],
  sets: readonly StatefulSet[],
  place: KubernetesPlace,
  now: Date,
): readonly ClusterMember[] {
  const address = (workload: string, pod: string): string =>
    replicaAddress(place, workload, Number(pod.slice(pod.lastIndexOf("-") + 1)));
  const found = pods.map((pod) => {
    const workload = pod.metadata?.labels?.[WORKLOAD] ?? "";
    return describeMember(pod, address(workload, pod.metadata?.name ?? ""), now);
  });
  const missing = sets.flatMap(({ metadata, spec }) =>
    [...Array(spec?.replicas ?? 1).keys()].flatMap((ordinal): ClusterMember[] => {
      const name = `${metadata?.name ?? ""}-${ordinal}`;
      const workload = metadata?.labels?.[WORKLOAD] ?? "";
      if (found.some((member) => member.name === name)) return [];
      const status = "there is no such pod";
      return [
        {
          ...{ name, workload, status, state: "missing", readiness: "unready", node: "", restarts: 0 },
          address: address(workload, name),
        },
      ];
    }),
  );
  return [...found, ...missing].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** What keeps a pod away, by what it says of itself, and what mends that; every one of them comes by itself then. */
export function revivalOf({ state, status }: Pick<ClusterMember, "state" | "status">): string {
  if (/ErrImagePull|ImagePullBackOff|InvalidImageName/.test(status))
    return "its image cannot be pulled: correct images.registry, images.tags or kubernetes.imagePullSecret, then `up`";
  if (/OOMKilled/.test(status)) return "it ran out of memory: raise its `memory`, then `up`";
  if (state === "restarting") return "its program ends by itself, and is started again: its log says why";
  if (/nodes are available|not scheduled|unschedulable/i.test(status))
    return "no node takes it: give the Kubernetes cluster room, or lower `memory` and `cpu`; it then comes by itself";
  if (state === "missing")
    return "its StatefulSet makes it, unless it is refused: see `events`, or run `up` where the StatefulSet is gone";
  if (state === "ending") return "it is ending, and made anew then; it waits for a node that does not answer";
  return "it comes by itself when its node and its volume do: see `events`";
}

export function kubernetesMembers(place: KubernetesPlace): ClusterMembers {
  const { cluster, namespace } = place;
  const selected = { namespace, labelSelector: `app.kubernetes.io/instance=${cluster}` };
  return {
    platform: `Kubernetes (namespace ${namespace})`,
    // Policies let no member out to the entry, where they are enforced.
    membersReachEntry: false,

    async list() {
      const { client, config } = kubernetesClient();
      const [pods, sets] = await Promise.all([
        config.makeApiClient(client.CoreV1Api).listNamespacedPod(selected),
        config.makeApiClient(client.AppsV1Api).listNamespacedStatefulSet(selected),
      ]).catch((error: unknown) => {
        throw new Error(refusalOf(error), { cause: error });
      });
      // Pods of jobs bear no ordinal, and are no members.
      const members = pods.items.filter(({ metadata }) => /-\d+$/.test(metadata?.name ?? ""));
      return membersOf(members, sets.items, place, new Date());
    },

    execute: (pod, command, timeoutSeconds) =>
      execInPod({ namespace, pod, container: "" }, command, timeoutSeconds),

    attach(pod, command, environment = {}) {
      if (Object.keys(environment).length > 0)
        throw new Error("variables would stand in the API server's records of what was executed");
      return attachToPod(namespace, pod, command);
    },

    async logs(pod, { tail, follow }, line) {
      const { finished } = require("node:stream/promises") as typeof import("node:stream/promises");
      const { client, config } = kubernetesClient();
      const output = lineStream(line);
      const options = { follow, ...(tail !== undefined && { tailLines: tail }) };
      await new client.Log(config).log(namespace, pod, "", output, options).catch((error: unknown) => {
        throw new Error(`the log of ${pod} cannot be read: ${refusalOf(error)}`, { cause: error });
      });
      await finished(output);
    },

    reach: (pod, port) => ({ via: "kubernetes", namespace, pod, port }),
    revival: revivalOf,
    restarting: (pod) => `kubectl delete pod ${pod} --namespace ${namespace}`,
    health: () => platformHealth(selected),
  };
}

async function attachToPod(namespace: string, pod: string, command: readonly string[]): Promise<number> {
  const { client, config } = kubernetesClient();
  return withTerminal(
    ({ interactive, input }) =>
      new Promise<number>((resolve, reject) => {
        new client.Exec(config)
          .exec(
            namespace,
            pod,
            "",
            [...command],
            process.stdout,
            // A terminal has one output.
            interactive ? null : process.stderr,
            input,
            interactive,
            (status) => {
              const code = exitCodeOf(status);
              if (code !== undefined) resolve(code);
              else reject(new Error(`${command[0]} in ${pod}: ${status.message ?? "no answer"}`));
            },
          )
          .then((opened) => {
            opened.on("close", () => reject(new Error(`${command[0]} in ${pod}: cut off`)));
          }, reject);
      }),
  );
}
