/** A cluster's secrets and members as the Docker engine reports them. */
import type { ExistingCluster, SecretFiles } from "../existing-cluster";
import { dockerEngine, execIn } from "./engine";
import { LABELS, secretVolumeName } from "./names";
import { readVolume } from "./volume-files";
import { reasonOf } from "../../dynamic/reason";

export function existingDockerCluster(cluster: string): ExistingCluster {
  const label = [`${LABELS.stack}=${cluster}`];
  return {
    async secrets() {
      const engine = dockerEngine();
      const { Volumes } = await engine.listVolumes({ filters: JSON.stringify({ label }) });
      const prefix = secretVolumeName(cluster, "");
      const found: Record<string, SecretFiles> = {};
      for (const { Name } of Volumes) {
        if (!Name.startsWith(prefix)) continue;
        const { files } = await readVolume(engine, Name);
        if (files !== undefined) found[Name.slice(prefix.length)] = files;
      }
      return found;
    },

    async run(workloads, command, timeoutSeconds) {
      const engine = dockerEngine();
      const containers = await engine.listContainers({ filters: { label, status: ["running"] } });
      const names = containers
        .filter(({ Labels }) => workloads.includes(Labels[LABELS.workload] ?? ""))
        .map(({ Names }) => (Names[0] ?? "/").slice(1))
        .sort();
      const reasons: string[] = [];
      for (const name of names) {
        try {
          const { exitCode, output } = await execIn(engine, name, command, timeoutSeconds);
          if (exitCode === 0) return output;
          reasons.push(`${name}: ${output}`);
        } catch (error) {
          reasons.push(`${name}: ${reasonOf(error)}`);
        }
      }
      throw new Error(reasons.join("; ") || `no member is running (${workloads.join(", ")})`);
    },
  };
}
