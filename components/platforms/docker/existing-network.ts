import { dockerEngine } from "../../reach/docker/engine";

/** Id of the network of this name. Undefined if it does not exist, or if the engine does not answer, which is reported elsewhere. */
export async function existingNetwork(name: string): Promise<string | undefined> {
  const filters = JSON.stringify({ name: [name] });
  const found = await dockerEngine()
    .listNetworks({ filters })
    .catch(() => []);
  return found.find(({ Name }) => Name === name)?.Id;
}
