import { dockerEngine } from "../../reach/docker/engine";

/** Id of the network of this name; undefined when there is none, or the engine does not answer, which then says so itself. */
export async function existingNetwork(name: string): Promise<string | undefined> {
  const filters = JSON.stringify({ name: [name] });
  const found = await dockerEngine()
    .listNetworks({ filters })
    .catch(() => []);
  return found.find(({ Name }) => Name === name)?.Id;
}
