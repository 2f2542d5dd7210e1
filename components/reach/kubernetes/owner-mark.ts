/**
 * A cluster's owner, as an annotation of a separate object in the namespace that holds the claims. The API server lets only one
 * writer create an object, and rejects an update of an object that has changed since it was read.
 */
import { type MarkStore, markText, readMark } from "../owner-mark";
import { type ConfigMap, kubernetesClient } from "./client";
import { OWNER_ANNOTATION, ownerObjectName } from "./names";
import { isStatus } from "./pods";

/** The commands that mark a cluster by hand, for a person who knows who owns it but has no proof. */
export const kubernetesMarkByHand = (namespace: string, cluster: string, owner: string): string => {
  const name = ownerObjectName({ cluster });
  const annotation = `${OWNER_ANNOTATION}='${JSON.stringify({ owner })}'`;
  return `kubectl -n ${namespace} create configmap ${name} && kubectl -n ${namespace} annotate configmap ${name} ${annotation}`;
};

export function kubernetesMark(namespace: string, cluster: string): MarkStore {
  const name = ownerObjectName({ cluster });
  const core = () => {
    const { client, config } = kubernetesClient();
    return config.makeApiClient(client.CoreV1Api);
  };
  const read = (): Promise<ConfigMap | undefined> =>
    core()
      .readNamespacedConfigMap({ namespace, name })
      .catch((error: unknown) => {
        if (isStatus(error, 404)) return undefined;
        throw error;
      });
  const markOf = (object: ConfigMap | undefined) => {
    if (object === undefined) return undefined;
    return readMark(object.metadata?.annotations?.[OWNER_ANNOTATION] ?? "");
  };
  return {
    async look() {
      const labelSelector = `app.kubernetes.io/instance=${cluster}`;
      const [object, claims] = await Promise.all([
        read(),
        // The list is empty if the namespace does not exist.
        core().listNamespacedPersistentVolumeClaim({ namespace, labelSelector }),
      ]);
      const data = claims.items.map(({ metadata }) => metadata?.name ?? "").sort();
      const mark = markOf(object);
      return { data, ...(mark && { mark }) };
    },

    async write(make) {
      const before = await read();
      const mark = make(markOf(before));
      const { resourceVersion } = before?.metadata ?? {};
      const body: ConfigMap = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name,
          namespace,
          labels: {
            "app.kubernetes.io/instance": cluster,
            "app.kubernetes.io/managed-by": "pulumi",
            "app.kubernetes.io/part-of": "postgres-cluster",
          },
          annotations: { [OWNER_ANNOTATION]: markText(mark).trim() },
          ...(resourceVersion !== undefined && { resourceVersion }),
        },
      };
      try {
        if (before === undefined) await core().createNamespacedConfigMap({ namespace, body });
        else await core().replaceNamespacedConfigMap({ namespace, name, body });
      } catch (error) {
        if (isStatus(error, 404))
          throw new Error(
            `the namespace ${namespace} does not exist, but the state has it: it was deleted, or this is a different Kubernetes cluster. ` +
              "If that is intended, `pulumi up --refresh` recreates it.",
            { cause: error },
          );
        if (!isStatus(error, 409)) throw error;
        // Somebody else wrote a mark first, and that mark decides.
        make(markOf(await read()));
        throw error;
      }
    },

    async remove() {
      await core()
        .deleteNamespacedConfigMap({ namespace, name })
        .catch((error: unknown) => {
          if (!isStatus(error, 404)) throw error;
        });
    },
  };
}
