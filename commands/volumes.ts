import { dockerEngine } from "../components/reach/docker/engine";
import { LABELS } from "../components/reach/docker/names";
import { removeHelpers } from "../components/reach/docker/volume-files";
import { capture } from "./programs";

/** Names of a cluster's volumes on the Docker engine. */
export async function volumesOf(cluster: string): Promise<readonly string[]> {
  const filter = `label=${LABELS.stack}=${cluster}`;
  const found = await capture("docker", ["volume", "ls", "--quiet", "--filter", filter]);
  return found.split("\n").filter((name) => name !== "");
}

/** Permanently deletes volumes of a stack that is down, including the helper containers that a killed run has left on them. */
export async function deleteVolumes(volumes: readonly string[]): Promise<void> {
  for (const volume of volumes) await removeHelpers(dockerEngine(), volume);
  if (volumes.length > 0) await capture("docker", ["volume", "rm", ...volumes]);
}
