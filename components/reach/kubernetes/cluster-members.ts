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

/** Enough for two readiness probes. A pod does not report whether it has been probed yet. */
const FIRST_LOOKS_MS = 15_000;
const WORKLOAD = "app.kubernetes.io/name";

/** A pod's state in one word; `running` when its program runs, ready or not. */
export function stateOf(pod: Pod): string {
  const [container] = pod.status?.containerStatuses ?? [];
  const { running, waiting, terminated } = container?.state ?? {};
  if (pod.metadata?.deletionTimestamp !== undefined) return "terminating";
  if (running !== undefined) return "running";
  // The kubelet restarts a container that has exited after a delay that grows each time.
  if (terminated !== undefined || waiting?.reason === "CrashLoopBackOff") return "restarting";
  return (pod.status?.phase ?? "unknown").toLowerCase();
}

const iso = (date: Date | string): string => new Date(date).toISOString();

/** Describes a pod as a member; `address` is the name by which the other members know it. */
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

/** The existing pods, and those that are missing from their StatefulSets. */
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
      const status = "the pod does not exist";
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

/** Why a pod does not run, derived from its status, and the remedy. Once the cause is fixed, Kubernetes starts the pod automatically. */
export function revivalOf({ state, status }: Pick<ClusterMember, "state" | "status">): string {
  if (/ErrImagePull|ImagePullBackOff|InvalidImageName/.test(status))
    return "its image cannot be pulled: correct images.registry, images.tags or kubernetes.imagePullSecret, then run `up`";
  if (/OOMKilled/.test(status)) return "it ran out of memory: raise its `memory`, then run `up`";
  if (state === "restarting") return "its program keeps exiting and is restarted: see its log";
  if (/nodes are available|not scheduled|unschedulable/i.test(status))
    return "no node can run it: add capacity to the Kubernetes cluster, or lower `memory` and `cpu`; it is then scheduled automatically";
  if (state === "missing")
    return "its StatefulSet recreates it, unless the pod is rejected: see `events`, or run `up` if the StatefulSet does not exist";
  if (state === "terminating")
    return "it is terminating, and is recreated afterwards; if this does not end, its node does not answer";
  return "it starts automatically once its node and its volume are available: see `events`";
}

export function kubernetesMembers(place: KubernetesPlace): ClusterMembers {
  const { cluster, namespace } = place;
  const selected = { namespace, labelSelector: `app.kubernetes.io/instance=${cluster}` };
  return {
    platform: `Kubernetes (namespace ${namespace})`,
    // Where network policies are enforced, no member may connect to the entry.
    membersReachEntry: false,

    async list() {
      const { client, config } = kubernetesClient();
      const [pods, sets] = await Promise.all([
        config.makeApiClient(client.CoreV1Api).listNamespacedPod(selected),
        config.makeApiClient(client.AppsV1Api).listNamespacedStatefulSet(selected),
      ]).catch((error: unknown) => {
        throw new Error(refusalOf(error), { cause: error });
      });
      // Pods of jobs have no ordinal and are not members.
      const members = pods.items.filter(({ metadata }) => /-\d+$/.test(metadata?.name ?? ""));
      return membersOf(members, sets.items, place, new Date());
    },

    execute: (pod, command, timeoutSeconds) =>
      execInPod({ namespace, pod, container: "" }, command, timeoutSeconds),

    attach(pod, command, environment = {}) {
      if (Object.keys(environment).length > 0)
        throw new Error(
          "environment variables cannot be passed to a pod's command: they would appear in the API server's audit log",
        );
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
            // A terminal has a single output.
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
            opened.on("close", () => reject(new Error(`${command[0]} in ${pod}: the connection was closed`)));
          }, reject);
      }),
  );
}
