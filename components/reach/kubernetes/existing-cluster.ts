/** A cluster's secrets and members as the API server reports them. */
import type { ExistingCluster, SecretFiles } from "../existing-cluster";
import { kubernetesClient } from "./client";
import { execInPod } from "./pods";
import { reasonOf } from "../../dynamic/reason";

export function existingKubernetesCluster(namespace: string, cluster: string): ExistingCluster {
  const labelSelector = `app.kubernetes.io/instance=${cluster}`;
  const core = () => {
    const { client, config } = kubernetesClient();
    return config.makeApiClient(client.CoreV1Api);
  };
  return {
    async secrets() {
      const { items } = await core().listNamespacedSecret({ namespace, labelSelector });
      const found: Record<string, SecretFiles> = {};
      for (const { metadata, data } of items) {
        const name = metadata?.name ?? "";
        if (!name.startsWith(`${cluster}-`)) continue;
        found[name.slice(cluster.length + 1)] = Object.fromEntries(
          Object.entries(data ?? {}).map(([file, text]) => [
            file,
            Buffer.from(text, "base64").toString("utf8"),
          ]),
        );
      }
      return found;
    },

    async run(workloads, command, timeoutSeconds) {
      const { items } = await core().listNamespacedPod({ namespace, labelSelector });
      const members = items.flatMap(({ metadata, status }) => {
        const container = metadata?.labels?.["app.kubernetes.io/name"] ?? "";
        const running = status?.phase === "Running" && metadata?.deletionTimestamp === undefined;
        return running && workloads.includes(container) ? [{ pod: metadata?.name ?? "", container }] : [];
      });
      const reasons: string[] = [];
      for (const { pod, container } of members.sort((a, b) => (a.pod < b.pod ? -1 : 1))) {
        try {
          const { exitCode, output } = await execInPod(
            { namespace, pod, container },
            command,
            timeoutSeconds,
          );
          if (exitCode === 0) return output;
          reasons.push(`${pod}: ${output}`);
        } catch (error) {
          reasons.push(`${pod}: ${reasonOf(error)}`);
        }
      }
      throw new Error(reasons.join("; ") || `no member is running (${workloads.join(", ")})`);
    },
  };
}
