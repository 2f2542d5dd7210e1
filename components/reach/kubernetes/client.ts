/** A Kubernetes API client that uses the same configuration as kubectl. */
import type { Duplex, Readable, Writable } from "node:stream";
import { configuredCluster } from "./configured-cluster";

interface Named {
  readonly namespace: string;
  readonly name: string;
}

interface Selected {
  readonly namespace: string;
  readonly labelSelector: string;
}

interface Metadata {
  readonly name?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: Date;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Listed<Item> {
  readonly items: readonly Item[];
}

export interface ConfigMap {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: Metadata & {
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
}

export interface StatefulSet {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly replicas?: number;
    readonly volumeClaimTemplates?: readonly { readonly metadata?: Metadata }[];
  };
  readonly status?: { readonly observedGeneration?: number; readonly updateRevision?: string };
}

interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
}

export interface Pod {
  readonly metadata?: Metadata;
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: {
        readonly running?: { readonly startedAt?: Date };
        readonly waiting?: { readonly reason?: string; readonly message?: string };
        readonly terminated?: Terminated;
      };
      readonly lastState?: { readonly terminated?: Terminated };
    }[];
  };
}

export interface PersistentVolumeClaim {
  readonly metadata?: Metadata;
  readonly spec?: { readonly resources?: { readonly requests?: Readonly<Record<string, string>> } };
  readonly status?: {
    readonly phase?: string;
    readonly capacity?: Readonly<Record<string, string>>;
    readonly conditions?: readonly Condition[];
  };
}

export interface PodDisruptionBudget {
  readonly metadata?: Metadata;
  readonly status?: {
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
  };
}

export interface NetworkPolicy {
  readonly metadata?: Metadata;
  readonly spec?: {
    readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly policyTypes?: readonly string[];
  };
}

/** What happened to an object, as reported by a controller or a kubelet. */
export interface Event {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: Date | null;
  readonly eventTime?: Date | null;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
}

/** A cert-manager Certificate or CertificateRequest. */
export interface Certificate {
  readonly metadata?: Metadata & {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
  };
  readonly status?: {
    readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[];
    readonly notAfter?: string;
    readonly renewalTime?: string;
  };
}

/** How a command ended. */
export interface Status {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

interface CoreV1Api {
  readNamespacedPodLog(request: Named & { readonly tailLines: number }): Promise<string>;
  readNamespacedPod(request: Named): Promise<Pod>;
  deleteNamespacedPod(request: Named): Promise<unknown>;
  readNamespacedSecret(request: Named): Promise<{ readonly data?: Readonly<Record<string, string>> }>;
  readNamespacedConfigMap(request: Named): Promise<ConfigMap>;
  createNamespacedConfigMap(request: Omit<Named, "name"> & { readonly body: ConfigMap }): Promise<ConfigMap>;
  replaceNamespacedConfigMap(request: Named & { readonly body: ConfigMap }): Promise<ConfigMap>;
  deleteNamespacedConfigMap(request: Named): Promise<unknown>;
  listNamespacedPod(request: Selected): Promise<Listed<Pod>>;
  listNamespacedSecret(
    request: Selected,
  ): Promise<Listed<{ readonly metadata?: Metadata; readonly data?: Readonly<Record<string, string>> }>>;
  readNamespacedPersistentVolumeClaim(request: Named): Promise<PersistentVolumeClaim>;
  listNamespacedPersistentVolumeClaim(request: Selected): Promise<Listed<PersistentVolumeClaim>>;
  listNamespacedEvent(request: Omit<Named, "name">): Promise<Listed<Event>>;
  /** `body` is a JSON patch (RFC 6902). */
  patchNamespacedPersistentVolumeClaim(
    request: Named & { readonly body: readonly object[] },
  ): Promise<unknown>;
}

interface AppsV1Api {
  readNamespacedStatefulSet(request: Named): Promise<StatefulSet>;
  listNamespacedStatefulSet(request: Selected): Promise<Listed<StatefulSet>>;
}

interface PolicyV1Api {
  listNamespacedPodDisruptionBudget(request: Selected): Promise<Listed<PodDisruptionBudget>>;
}

interface NetworkingV1Api {
  listNamespacedNetworkPolicy(request: Selected): Promise<Listed<NetworkPolicy>>;
}

interface VersionApi {
  getCode(): Promise<{ readonly gitVersion: string }>;
}

interface CustomKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

interface CustomObjectsApi {
  getNamespacedCustomObject(request: Named & CustomKind): Promise<Certificate>;
  listNamespacedCustomObject(
    request: Omit<Named, "name"> & CustomKind & { readonly labelSelector?: string },
  ): Promise<Listed<Certificate>>;
}

interface Config {
  loadFromDefault(): void;
  loadFromFile(file: string): void;
  loadFromString(text: string): void;
  readonly contexts: readonly { readonly name: string }[];
  setCurrentContext(name: string): void;
  getCurrentContext(): string;
  makeApiClient<Api>(api: new () => Api): Api;
}

/** The part of @kubernetes/client-node that is used here. Its own types belong to an ES module, which this CommonJS module cannot import. */
interface Client {
  readonly CoreV1Api: new () => CoreV1Api;
  readonly AppsV1Api: new () => AppsV1Api;
  readonly PolicyV1Api: new () => PolicyV1Api;
  readonly NetworkingV1Api: new () => NetworkingV1Api;
  readonly VersionApi: new () => VersionApi;
  readonly CustomObjectsApi: new () => CustomObjectsApi;
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
  readonly Log: new (config: Config) => {
    /** `container` may be empty, since our pods have a single one. Resolves when the response starts; its body is then written to `output`. */
    log(
      namespace: string,
      pod: string,
      container: string,
      output: Writable,
      options: { readonly follow: boolean; readonly tailLines?: number },
    ): Promise<unknown>;
  };
  readonly Exec: new (config: Config) => {
    exec(
      namespace: string,
      pod: string,
      container: string,
      command: string[],
      output: Writable,
      errors: Writable | null,
      input: Readable | null,
      terminal: boolean,
      ended: (status: Status) => void,
    ): Promise<{ on(event: "close", listener: () => void): unknown; close(): void }>;
  };
}

/** A client of the configured cluster; fails if the kubeconfig does not have the configured context. */
export function kubernetesClient(): { readonly client: Client; readonly config: Config } {
  // An ES module: Node 22 can load it with `require`.
  const client = require("@kubernetes/client-node") as Client;
  const { existsSync } = require("node:fs") as typeof import("node:fs");
  const { homedir } = require("node:os") as typeof import("node:os");
  const config = new client.KubeConfig();
  const { kubeconfig, context } = configuredCluster();
  const file = kubeconfig?.replace(/^~(?=\/|$)/, homedir());
  // KUBECONFIG, ~/.kube/config, or inside a cluster the service account.
  if (file === undefined) config.loadFromDefault();
  else if (existsSync(file)) config.loadFromFile(file);
  else config.loadFromString(file);
  if (context !== undefined) {
    const names = config.contexts.map(({ name }) => name);
    if (!names.includes(context))
      throw new Error(
        `kubernetes:context is "${context}", but the kubeconfig has ${names.length > 0 ? names.join(", ") : "no context"}: ` +
          "run pulumi config set kubernetes:context <one of these>, or set KUBECONFIG=<the file that has it>.",
      );
    config.setCurrentContext(context);
  }
  return { client, config };
}
