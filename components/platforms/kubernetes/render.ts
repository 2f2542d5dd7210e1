import type * as inputs from "@pulumi/kubernetes/types/input";
import { refuseUnrenderable } from "../check-workload";
import { workloadName } from "../../reach/names";
import type { WorkloadSpec } from "../workload";
import * as names from "../../reach/kubernetes/names";
import { renderPolicies } from "./network";
import {
  beforeStop,
  CONTAINER_SECURITY,
  containerArguments,
  DATA_CLAIM,
  environment,
  type MountContext,
  mountedConfigMap,
  mounts,
  POD_SECURITY,
  probes,
  resources,
  sorted,
  stopSeconds,
} from "./pod";

/** What the platform knows in addition to a workload's spec. */
export interface KubernetesContext extends MountContext {
  /** The image to run, with its tag or digest. */
  readonly image: string;
  /** Storage class of the data volumes. Default: the cluster's default class. */
  readonly storageClass?: string;
  /** Type of the Service for exposed ports: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types */
  readonly exposeAs: "ClusterIP" | "NodePort" | "LoadBalancer";
  readonly exposeAnnotations?: Readonly<Record<string, string>>;
  readonly priorityClass?: string;
  readonly imagePullSecret?: string;
  /** Networks from which `pulumi up` connects to members directly. */
  readonly directFrom?: readonly string[];
}

type Manifest<T> = T & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
};
type ObjectMeta = {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};

/** A workload as manifests. It contains no outputs. */
export interface RenderedKubernetes {
  readonly statefulSet: Manifest<inputs.apps.v1.StatefulSet>;
  readonly services: readonly Manifest<inputs.core.v1.Service>[];
  /** `formerly` is the resource's name in older versions, where it differed from the object's name. */
  readonly configMaps: readonly {
    readonly formerly: string;
    readonly manifest: Manifest<inputs.core.v1.ConfigMap>;
  }[];
  readonly podDisruptionBudget: Manifest<inputs.policy.v1.PodDisruptionBudget>;
  readonly networkPolicies: ReturnType<typeof renderPolicies>;
}

/** Renders a workload. Throws an error with the path of the field if Kubernetes does not support something. */
export function renderKubernetes(spec: WorkloadSpec, context: KubernetesContext): RenderedKubernetes {
  refuseUnrenderable(spec);
  const workload = workloadName(context, spec.name);
  const meta = (name: string, annotations?: Record<string, string>): ObjectMeta => ({
    name,
    namespace: context.namespace,
    labels: names.objectLabels(context, spec.name),
    annotations: { ...names.OBJECT_ANNOTATIONS, ...annotations },
  });
  return {
    statefulSet: statefulSet(spec, context, workload, meta),
    services: services(spec, context, workload, meta),
    configMaps: sorted(spec.configuration).map(([path, directory]) => ({
      formerly: names.configMapName(workload, path),
      manifest: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: meta(mountedConfigMap(workload, path, directory)),
        ...(directory.onChange === "replace" && { immutable: true }),
        data: Object.fromEntries(sorted(directory.files)),
      },
    })),
    podDisruptionBudget: {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: meta(workload),
      spec: { maxUnavailable: 1, selector: { matchLabels: names.selectorLabels(context, spec.name) } },
    },
    networkPolicies: renderPolicies(spec, context),
  };
}

/** A different digest means different pods. */
export const templateDigest = ({ spec }: RenderedKubernetes["statefulSet"]): string =>
  names.contentHash({ template: JSON.stringify((spec as { readonly template: unknown }).template) });

function statefulSet(
  spec: WorkloadSpec,
  context: KubernetesContext,
  workload: string,
  meta: (name: string, annotations?: Record<string, string>) => ObjectMeta,
): RenderedKubernetes["statefulSet"] {
  const selector = names.selectorLabels(context, spec.name);
  const { volumes, volumeMounts } = mounts(spec, context, workload);
  const args = containerArguments(spec);
  const limits = resources(spec);
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    // Its members may become ready only after workloads that depend on it have started; `PodsReady` waits for them.
    metadata: meta(workload, { "pulumi.com/skipAwait": "true" }),
    spec: {
      replicas: spec.replicas,
      serviceName: workload,
      // All members start together. `Rollout` replaces them, the leader last; the controller would start with the highest ordinal.
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "OnDelete" },
      selector: { matchLabels: selector },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      template: {
        metadata: {
          labels: { ...names.objectLabels(context, spec.name), ...names.programLabels(context, spec.image) },
        },
        spec: {
          automountServiceAccountToken: false,
          // The variables for the namespace's Services would depend on the order in which objects were created.
          enableServiceLinks: false,
          ...placement(context),
          securityContext: POD_SECURITY,
          terminationGracePeriodSeconds: stopSeconds(spec),
          // Preferred, not required: a cluster with fewer nodes than members still runs all of them.
          affinity: {
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    topologyKey: "kubernetes.io/hostname",
                    labelSelector: { matchLabels: selector },
                  },
                },
              ],
            },
          },
          topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map(
            (topologyKey) => ({
              maxSkew: 1,
              topologyKey,
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: selector },
            }),
          ),
          containers: [
            {
              name: spec.name,
              image: context.image,
              imagePullPolicy: "IfNotPresent",
              // The image's entry point runs it under the supervisor.
              ...(args && { args }),
              env: environment(spec, context, workload),
              ports: sorted(spec.ports).map(([name, port]) => ({ name, containerPort: port.port })),
              ...probes(spec),
              ...beforeStop(spec),
              ...(limits && { resources: limits }),
              securityContext: CONTAINER_SECURITY,
              volumeMounts,
            },
          ],
          volumes,
        },
      },
      ...(spec.data && {
        volumeClaimTemplates: [
          {
            metadata: { name: DATA_CLAIM, labels: selector },
            spec: {
              accessModes: ["ReadWriteOnce"],
              ...(context.storageClass && { storageClassName: context.storageClass }),
              resources: { requests: { storage: spec.data.size } },
            },
          },
        ],
      }),
    },
  };
}

const placement = ({
  priorityClass,
  imagePullSecret,
}: Pick<KubernetesContext, "priorityClass" | "imagePullSecret">) => ({
  ...(priorityClass !== undefined && { priorityClassName: priorityClass }),
  ...(imagePullSecret !== undefined && { imagePullSecrets: [{ name: imagePullSecret }] }),
});

function services(
  spec: WorkloadSpec,
  context: KubernetesContext,
  workload: string,
  meta: (name: string, annotations?: Record<string, string>) => ObjectMeta,
): RenderedKubernetes["services"] {
  const selector = names.selectorLabels(context, spec.name);
  const ports = sorted(spec.ports).map(([name, { port }]) => ({ name, port, targetPort: name }));
  const { exposed } = spec;
  const base = { apiVersion: "v1", kind: "Service" } as const;
  return [
    {
      ...base,
      // It has no endpoints until the StatefulSet that depends on it exists, so waiting for them would never end (pulumi-kubernetes#1974).
      metadata: meta(workload, { "pulumi.com/skipAwait": "true" }),
      // Members resolve each other's names while they start, before any of them is ready.
      spec: { clusterIP: "None", publishNotReadyAddresses: true, selector, ports },
    },
    {
      ...base,
      metadata: meta(names.readyServiceName(context, spec.name), { "pulumi.com/skipAwait": "true" }),
      spec: { type: "ClusterIP", selector, ports },
    },
    ...(exposed
      ? [
          {
            ...base,
            metadata: meta(
              names.exposedServiceName(context, spec.name),
              // Wait only for a load balancer's address, which is an output of the stack.
              {
                ...context.exposeAnnotations,
                ...(context.exposeAs !== "LoadBalancer" && { "pulumi.com/skipAwait": "true" }),
              },
            ),
            spec: {
              type: context.exposeAs,
              selector,
              ports: ports.filter(({ name }) => exposed.hostPorts[name] !== undefined),
            },
          },
        ]
      : []),
  ];
}
