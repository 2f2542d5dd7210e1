/** The end of a member's log, for error messages. */
import { dockerEngine, logOf } from "./docker/engine";
import { kubernetesClient } from "./kubernetes/client";

/** Where the log is; every `Reach` is assignable to it. */
type Source =
  | { readonly via: "docker"; readonly container: string }
  | { readonly via: "kubernetes"; readonly namespace: string; readonly pod: string }
  | { readonly via: "tcp" };

async function readLog(source: Source, lines: number): Promise<string> {
  switch (source.via) {
    case "tcp":
      return "";
    case "docker":
      return logOf(dockerEngine(), source.container, lines);
    case "kubernetes": {
      const { client, config } = kubernetesClient();
      const { namespace, pod: name } = source;
      return config
        .makeApiClient(client.CoreV1Api)
        .readNamespacedPodLog({ namespace, name, tailLines: lines });
    }
  }
}

/** The last lines of a log, indented. Empty if it cannot be read: the log only adds details to another error. */
export async function lastLines(source: Source, lines: number): Promise<string> {
  const text = await readLog(source, lines).catch(() => "");
  return text.trimEnd().replace(/^(?=.)/gm, "    | ");
}
