import { createServer } from "node:net";
import type { Problem } from "../../settings/problems";
import { LABELS } from "../../reach/docker/names";
import { dockerEngine } from "../../reach/docker/engine";

/** A port on 127.0.0.1 that an entry publishes, and the setting that determines it. */
export interface ExposedPort {
  readonly setting: string;
  /** The port of entry 0; further entries use higher ones. */
  readonly value: number;
  readonly entry: number;
  readonly port: number;
}

/** Ports that something other than the cluster itself already uses. */
export async function takenHostPorts(
  cluster: string,
  exposed: readonly ExposedPort[],
  own: (cluster: string) => Promise<ReadonlySet<number>> = ownPorts,
): Promise<readonly Problem[]> {
  const ours = await own(cluster);
  const free = await Promise.all(exposed.map(async ({ port }) => ours.has(port) || (await isFree(port))));
  return exposed
    .filter((_, i) => !free[i])
    .map(({ setting, value, entry, port }) => ({
      setting,
      value,
      rule: `port ${port} on 127.0.0.1${entry === 0 ? "" : `, for entry ${entry},`} is in use by another program`,
      remedy: "Stop that program (`ss -ltnp` shows it) or choose another port",
    }));
}

/** The ports that the cluster's own containers publish. Empty if the engine does not answer, which is reported elsewhere. */
async function ownPorts(cluster: string): Promise<ReadonlySet<number>> {
  try {
    const filters = { label: [`${LABELS.stack}=${cluster}`] };
    const containers = await dockerEngine().listContainers({ filters });
    return new Set(containers.flatMap((container) => container.Ports.map((port) => port.PublicPort)));
  } catch {
    return new Set();
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
