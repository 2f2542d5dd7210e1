import type * as inputs from "@pulumi/kubernetes/types/input";
import { parseText, type ReplicaVariable } from "../variables";
import { PROGRAM_UID, type Probe, type WorkloadSpec } from "../workload";
import {
  configMapName,
  contentHash,
  type KubernetesIdentity,
  secretName,
  volumeName,
} from "../../reach/kubernetes/names";

type Container = inputs.core.v1.Container;
type EnvVar = inputs.core.v1.EnvVar;
type Volume = inputs.core.v1.Volume;
type VolumeMount = inputs.core.v1.VolumeMount;

/** The Pod Security Standard "restricted" and a read-only root file system: https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const CONTAINER_SECURITY: inputs.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

export const POD_SECURITY: inputs.core.v1.PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: PROGRAM_UID,
  runAsGroup: PROGRAM_UID,
  // Volumes belong to this group, so that secrets (mode 0440) are readable only by it.
  fsGroup: PROGRAM_UID,
  // Otherwise the kubelet changes the ownership of the whole data volume at every start.
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
};

/** Name of the data volume, and of the template of its claims. */
export const DATA_CLAIM = "data";

/** Octal 0440; in JSON the API accepts only decimal numbers. */
const SECRET_MODE = 0o440;
const CONFIGURATION_MODE = 0o444;

/** The environment variables of every member. Kubernetes expands `$(NAME)` only for variables that are defined earlier. */
export function environment(spec: WorkloadSpec, id: KubernetesIdentity, service: string): EnvVar[] {
  return [
    { name: "REPLICA_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "REPLICA_ADDRESS", value: `$(REPLICA_NAME).${service}.${id.namespace}.svc.${id.clusterDomain}` },
    {
      name: "REPLICA_ORDINAL",
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
    },
    ...sorted(spec.env).map(([name, value]) => {
      parseText(value, `${spec.name}.env.${name}`);
      return { name, value };
    }),
  ];
}

/** The variables are checked here and expanded by Kubernetes. */
export function containerArguments(spec: WorkloadSpec): string[] | undefined {
  spec.command?.forEach((text, i) => parseText(text, `${spec.name}.command[${i}]`));
  return spec.command && [...spec.command];
}

/**
 * Kubernetes does not expand variables in the commands of probes and hooks, but they are in the environment. So a command
 * that uses one is run by a shell.
 */
export function execCommand(command: readonly string[], path: string): string[] {
  const words = command.map((text, i) => parseText(text, `${path}[${i}]`));
  const literal = words.map((parts) => parts.map((part) => ("literal" in part ? part.literal : undefined)));
  if (literal.every((parts) => parts.every((part) => part !== undefined)))
    return literal.map((parts) => parts.join(""));
  const quoted = words.map((parts) =>
    parts
      .map((part) => ("literal" in part ? shellQuote(part.literal) : shellVariable(part.variable)))
      .join(""),
  );
  return ["/bin/sh", "-c", `exec ${quoted.join(" ")}`];
}

const shellQuote = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`;
const shellVariable = (name: ReplicaVariable): string => `"$${name}"`;

export function probes(
  spec: WorkloadSpec,
): Pick<Container, "readinessProbe" | "livenessProbe" | "startupProbe"> {
  const probe = (p: Probe, path: string): inputs.core.v1.Probe => ({
    exec: { command: execCommand(p.command, `${spec.name}.${path}.command`) },
    periodSeconds: p.intervalSeconds,
    timeoutSeconds: p.timeoutSeconds,
    failureThreshold: p.failureThreshold,
  });
  const { readiness, liveness } = spec;
  return {
    // No start period: a failing readiness probe of a starting member has no further consequences.
    readinessProbe: probe(readiness, "readiness"),
    ...(liveness && { livenessProbe: probe(liveness, "liveness") }),
    // The liveness probe does not run until the startup probe has succeeded once.
    ...(liveness &&
      liveness.startPeriodSeconds > 0 && {
        startupProbe: {
          ...probe(liveness, "liveness"),
          failureThreshold: Math.ceil(liveness.startPeriodSeconds / liveness.intervalSeconds),
        },
      }),
  };
}

/**
 * How long a terminating member that clients reach through a Service still accepts connections: until every node has removed its endpoint,
 * nodes may still route new connections to it
 * (https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/).
 */
const LAST_CONNECTIONS_SECONDS = 5;

/** The preStop hook, which runs before the program is told to stop. Its `sleep` action requires Kubernetes 1.30. */
export function beforeStop({ name, beforeStop, exposed }: WorkloadSpec): Pick<Container, "lifecycle"> {
  if (beforeStop) {
    const command = execCommand(beforeStop.command, `${name}.beforeStop.command`);
    return { lifecycle: { preStop: { exec: { command } } } };
  }
  return exposed ? { lifecycle: { preStop: { sleep: { seconds: LAST_CONNECTIONS_SECONDS } } } } : {};
}

/** A member's termination grace period, which includes the preStop hook. */
export const stopSeconds = ({ stopGraceSeconds, beforeStop, exposed }: WorkloadSpec): number =>
  stopGraceSeconds + (beforeStop?.timeoutSeconds ?? (exposed ? LAST_CONNECTIONS_SECONDS : 0));

/** What mounts depend on in addition to the workload. */
export interface MountContext extends KubernetesIdentity {
  /** The ConfigMap with `ca.crt` for each Secret that an issuer writes, by the secret's name. Default: no issuer writes one. */
  readonly authorities?: Readonly<Record<string, string>>;
}

/**
 * The files of a Secret. If an issuer writes it, only the certificate and its key: the authorities that a member trusts come from our own
 * ConfigMap, because an issuer writes only the authority that it currently signs with, or none at all.
 * https://cert-manager.io/docs/trust/
 */
const secretSource = (name: string, authority: string | undefined): Omit<Volume, "name"> =>
  authority === undefined
    ? { secret: { secretName: name, defaultMode: SECRET_MODE } }
    : {
        projected: {
          defaultMode: SECRET_MODE,
          sources: [
            { secret: { name, items: ["tls.crt", "tls.key"].map((file) => ({ key: file, path: file })) } },
            { configMap: { name: authority } },
          ],
        },
      };

/** The mounts and their volumes. The data volume comes from the claim template of the same name. */
export function mounts(
  spec: WorkloadSpec,
  id: MountContext,
  workload: string,
): { readonly volumes: Volume[]; readonly volumeMounts: VolumeMount[] } {
  const volumes: Volume[] = [];
  const volumeMounts: VolumeMount[] = [];
  const add = (kind: string, path: string, source: Omit<Volume, "name">, readOnly: boolean): void => {
    const name = volumeName(kind, path);
    volumes.push({ name, ...source });
    volumeMounts.push({ name, mountPath: path, ...(readOnly && { readOnly: true }) });
  };
  if (spec.data) volumeMounts.push({ name: DATA_CLAIM, mountPath: spec.data.path });
  for (const [path, directory] of sorted(spec.configuration)) {
    const name = mountedConfigMap(workload, path, directory);
    add("files", path, { configMap: { name, defaultMode: CONFIGURATION_MODE } }, true);
  }
  for (const [path, secret] of sorted(spec.secrets)) {
    add("secret", path, secretSource(secretName(id, secret.name), id.authorities?.[secret.name]), true);
  }
  for (const path of [...(spec.scratch ?? [])].sort()) add("scratch", path, { emptyDir: {} }, false);
  const { sharedMemoryMiB } = spec.resources ?? {};
  if (sharedMemoryMiB) {
    add(
      "shared-memory",
      "/dev/shm",
      { emptyDir: { medium: "Memory", sizeLimit: `${sharedMemoryMiB}Mi` } },
      false,
    );
  }
  return { volumes, volumeMounts };
}

/**
 * Configuration whose change replaces the members has the digest of its content in its name: new content is a new object, so the
 * pod template changes, and members that have not been replaced yet keep the files that they started with.
 */
export const mountedConfigMap = (
  workload: string,
  path: string,
  directory: { readonly files: Readonly<Record<string, string>>; readonly onChange: "replace" | "reload" },
): string =>
  directory.onChange === "reload"
    ? configMapName(workload, path)
    : `${configMapName(workload, path)}-${contentHash(directory.files)}`;

/**
 * The memory request equals the limit, so that a node's memory is never overcommitted. If the CPU limit equals its request, too,
 * the pod is "Guaranteed", the last to be evicted: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
 */
export function resources(spec: WorkloadSpec): inputs.core.v1.ResourceRequirements | undefined {
  const { memoryMiB, cpuMillis, cpuLimitMillis } = spec.resources ?? {};
  const amounts = (millis: number | undefined): Record<string, string> => ({
    ...(millis && { cpu: `${millis}m` }),
    ...(memoryMiB && { memory: `${memoryMiB}Mi` }),
  });
  const requests = amounts(cpuMillis);
  const limits = amounts(cpuLimitMillis);
  if (Object.keys({ ...requests, ...limits }).length === 0) return undefined;
  return { requests, ...(Object.keys(limits).length > 0 && { limits }) };
}

/** Sorted by key, so that the order in the spec does not matter. */
export const sorted = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
