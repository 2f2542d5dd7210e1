import { dockerEngine } from "../components/reach/docker/engine";
import { LABELS } from "../components/reach/docker/names";
import { removeHelpers } from "../components/reach/docker/volume-files";
import { capture } from "./programs";

/** Names of all volumes of a cluster on the Docker engine. */
export async function volumesOf(cluster: string): Promise<readonly string[]> {
  const filter = `label=${LABELS.stack}=${cluster}`;
  const found = await capture("docker", ["volume", "ls", "--quiet", "--filter", filter]);
  return found.split("\n").filter((name) => name !== "");
}

/** Deletes volumes of a stack that is down, for ever. What a run that was killed has left in one of them is no obstacle. */
export async function deleteVolumes(volumes: readonly string[]): Promise<void> {
  for (const volume of volumes) await removeHelpers(dockerEngine(), volume);
  if (volumes.length > 0) await capture("docker", ["volume", "rm", ...volumes]);
}
