/** The checks that only exist on Kubernetes. Each kind of object is listed separately, so that a missing permission hides only that kind. */
import { messageOf } from "../../../dynamic/reason";
import { bad, type Finding, good } from "../../finding";
import { type Certificate, kubernetesClient } from "../client";
import { isStatus, refusalOf } from "../pods";
import { judgeBudgets } from "./budgets";
import { judgeCertificates } from "./certificates";
import { judgeClaims } from "./claims";
import { judgeEvents } from "./events";
import { judgePolicies } from "./policies";

const WORKLOAD = "app.kubernetes.io/name";

interface Selected {
  readonly namespace: string;
  readonly labelSelector: string;
}

/** The first finding is about the API server. It is the only one if the API server does not answer. */
export async function platformHealth(selected: Selected): Promise<readonly Finding[]> {
  const version = await serverVersion();
  return version.ok ? [version, ...(await objectsHealth(selected))] : [version];
}

async function serverVersion(): Promise<Finding> {
  try {
    const { client, config } = kubernetesClient();
    const context = config.getCurrentContext();
    try {
      const { gitVersion } = await config.makeApiClient(client.VersionApi).getCode();
      return good("Kubernetes", `${gitVersion}, context ${context}`);
    } catch (error) {
      throw new Error(`the API server of the context ${context} does not answer: ${refusalOf(error)}`, {
        cause: error,
      });
    }
  } catch (error) {
    const remedy =
      "check kubernetes:kubeconfig and kubernetes:context in the stack's settings, or KUBECONFIG if they are not set";
    return bad("Kubernetes", messageOf(error), remedy);
  }
}

async function objectsHealth(selected: Selected): Promise<readonly Finding[]> {
  const { client, config } = kubernetesClient();
  const core = config.makeApiClient(client.CoreV1Api);
  const { namespace } = selected;
  const [pods, sets, claims] = await Promise.all([
    asked("pods", core.listNamespacedPod(selected)),
    asked("statefulsets", config.makeApiClient(client.AppsV1Api).listNamespacedStatefulSet(selected)),
    asked("claims", core.listNamespacedPersistentVolumeClaim(selected)),
  ]);
  const [budgets, policies, events, certificates] = await Promise.all([
    asked(
      "disruption budgets",
      config.makeApiClient(client.PolicyV1Api).listNamespacedPodDisruptionBudget(selected),
    ),
    asked(
      "network policies",
      config.makeApiClient(client.NetworkingV1Api).listNamespacedNetworkPolicy(selected),
    ),
    asked("events", core.listNamespacedEvent({ namespace })),
    asked(
      "certificates",
      config
        .makeApiClient(client.CustomObjectsApi)
        .listNamespacedCustomObject({
          ...selected,
          ...{ group: "cert-manager.io", version: "v1", plural: "certificates" },
        })
        .catch((error: unknown) => {
          // Without cert-manager the kind does not exist, and there are no certificates to check.
          if (isStatus(error, 404)) return { items: [] as readonly Certificate[] };
          throw error;
        }),
    ),
  ]);
  const workloads = (sets.items ?? []).map(({ metadata }) => metadata?.labels?.[WORKLOAD] ?? "");
  const names = (sets.items ?? []).map(({ metadata }) => metadata?.name ?? "");
  const now = new Date();
  return [
    ...[pods, sets, claims, budgets, policies, events, certificates].flatMap(({ problem }) =>
      problem === undefined ? [] : [problem],
    ),
    ...(sets.items && budgets.items ? judgeBudgets(budgets.items, names) : []),
    ...(sets.items && claims.items ? judgeClaims(claims.items, sets.items) : []),
    ...(sets.items && policies.items ? judgePolicies(policies.items, workloads) : []),
    ...(events.items && pods.items && sets.items
      ? judgeEvents(
          events.items,
          pods.items,
          sets.items,
          (claims.items ?? []).flatMap(({ metadata }) => metadata?.name ?? []),
          now,
        )
      : []),
    ...judgeCertificates(certificates.items ?? [], now),
  ];
}

type Asked<Item> =
  | { readonly items: readonly Item[]; readonly problem?: undefined }
  | { readonly items?: undefined; readonly problem: Finding };

async function asked<Item>(
  what: string,
  answer: Promise<{ readonly items: readonly Item[] }>,
): Promise<Asked<Item>> {
  try {
    return { items: (await answer).items };
  } catch (error) {
    const forbidden = isStatus(error, 403);
    const seen = forbidden ? "this account is not allowed to list them" : refusalOf(error);
    const remedy = forbidden
      ? "grant it the role in docs/kubernetes-operator.yaml"
      : "see the API server's log";
    return { problem: bad(what, seen, remedy) };
  }
}
