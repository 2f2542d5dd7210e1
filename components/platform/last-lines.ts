/** The end of a member's log, for errors about a member. Ends up inside serialised dynamic providers, see docker/engine.ts. */
import { dockerEngine, frameText } from "./docker/engine";

/** Whose log; every `Reach` is one. */
type Source =
  | { readonly via: "docker"; readonly container: string }
  | { readonly via: "kubernetes"; readonly namespace: string; readonly pod: string }
  | { readonly via: "tcp" };

/** What is used of @kubernetes/client-node; its own types are those of an ES module, which this one cannot import. */
interface KubernetesClient {
  readonly CoreV1Api: unknown;
  readonly KubeConfig: new () => {
    loadFromDefault(): void;
    makeApiClient(api: unknown): {
      readNamespacedPodLog(request: { namespace: string; name: string; tailLines: number }): Promise<string>;
    };
  };
}

async function readLog(source: Source, lines: number): Promise<string> {
  switch (source.via) {
    case "tcp":
      return "";
    case "docker": {
      const container = dockerEngine().getContainer(source.container);
      return frameText(await container.logs({ stdout: true, stderr: true, tail: lines }));
    }
    case "kubernetes": {
      const { CoreV1Api, KubeConfig } = require("@kubernetes/client-node") as KubernetesClient;
      const config = new KubeConfig();
      config.loadFromDefault();
      const { namespace, pod: name } = source;
      return config.makeApiClient(CoreV1Api).readNamespacedPodLog({ namespace, name, tailLines: lines });
    }
  }
}

/** The last lines of a log, each indented; empty when there is none, or it cannot be read: it is only there to explain something else. */
export async function lastLines(source: Source, lines: number): Promise<string> {
  const text = await readLog(source, lines).catch(() => "");
  return text.trimEnd().replace(/^(?=.)/gm, "    | ");
}
