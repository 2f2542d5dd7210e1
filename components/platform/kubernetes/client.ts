/** The Kubernetes API, as kubectl finds it. Ends up inside serialised dynamic providers, see ../docker/engine.ts. */
import type { Duplex } from "node:stream";

interface Config {
  loadFromDefault(): void;
  makeApiClient(api: unknown): {
    readNamespacedPodLog(request: { namespace: string; name: string; tailLines: number }): Promise<string>;
  };
}

/** What is used of @kubernetes/client-node; its own types are those of an ES module, which this one cannot import. */
interface Client {
  readonly CoreV1Api: unknown;
  readonly KubeConfig: new () => Config;
  readonly PortForward: new (config: Config) => {
    portForward(
      namespace: string,
      pod: string,
      ports: number[],
      output: Duplex,
      errors: Duplex,
      input: Duplex,
    ): Promise<{ on(event: "close", listener: () => void): unknown; close(): void }>;
  };
}

export function kubernetesClient(): { readonly client: Client; readonly config: Config } {
  // Loads although it is an ES module: Node 22 requires those.
  const client = require("@kubernetes/client-node") as Client;
  const config = new client.KubeConfig();
  config.loadFromDefault();
  return { client, config };
}
