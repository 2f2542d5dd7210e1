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

/** What Pod Security's level "restricted" demands, and a read-only root; https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export const CONTAINER_SECURITY: inputs.core.v1.SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};

export const POD_SECURITY: inputs.core.v1.PodSecurityContext = {
  runAsNonRoot: true,
  runAsUser: PROGRAM_UID,
  runAsGroup: PROGRAM_UID,
  // Volumes belong to this group; secrets are then readable by it (mode 0440) and by nobody else.
  fsGroup: PROGRAM_UID,
  // Without it the kubelet walks through the whole data volume at every start.
  fsGroupChangePolicy: "OnRootMismatch",
  seccompProfile: { type: "RuntimeDefault" },
};

/** Name of the data volume, and of the template of its claims. */
export const DATA_CLAIM = "data";

/** Octal 0440; the API takes decimal numbers. */
const SECRET_MODE = 0o440;
const CONFIGURATION_MODE = 0o444;

/** The variables that every member has. Kubernetes expands `$(NAME)` only with variables that stand before. */
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

/** Checked here, expanded by Kubernetes. */
export function containerArguments(spec: WorkloadSpec): string[] | undefined {
  spec.command?.forEach((text, i) => parseText(text, `${spec.name}.command[${i}]`));
  return spec.command && [...spec.command];
}

/**
 * Kubernetes does not expand variables in the commands of probes and hooks, but the variables are in their environment: a command
 * that uses one goes through a shell.
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
    // A member that starts is not ready and nothing else comes of it: failures do not count here anyway.
    readinessProbe: probe(readiness, "readiness"),
    ...(liveness && { livenessProbe: probe(liveness, "liveness") }),
    // Until this one has succeeded once the liveness probe does not run: failures in the start period do not count.
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
 * How long a member that clients reach through a Service still takes their connections when it is asked to stop: every node has to hear
 * first that it goes, and one that has not yet sends connections that would be refused
 * (https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/).
 */
const LAST_CONNECTIONS_SECONDS = 5;

/** What happens in a member before its program is told to stop. The sleep needs no shell, but Kubernetes 1.30. */
export function beforeStop({ name, beforeStop, exposed }: WorkloadSpec): Pick<Container, "lifecycle"> {
  if (beforeStop) {
    const command = execCommand(beforeStop.command, `${name}.beforeStop.command`);
    return { lifecycle: { preStop: { exec: { command } } } };
  }
  return exposed ? { lifecycle: { preStop: { sleep: { seconds: LAST_CONNECTIONS_SECONDS } } } } : {};
}

/** How long a member may take to stop, with what happens before. */
export const stopSeconds = ({ stopGraceSeconds, beforeStop, exposed }: WorkloadSpec): number =>
  stopGraceSeconds + (beforeStop?.timeoutSeconds ?? (exposed ? LAST_CONNECTIONS_SECONDS : 0));

/** What mounts depend on besides the workload. */
export interface MountContext extends KubernetesIdentity {
  /** The ConfigMap with `ca.crt` of each secret that an issuer writes, by the secret's name. Default: we write all of them. */
  readonly authorities?: Readonly<Record<string, string>>;
}

/**
 * The files of a Secret. Of one that an issuer writes the certificate and its key alone: whom a member trusts is ours to say, in a
 * ConfigMap. The issuer writes an authority there, too, but only the one that it signs with now, and some write none.
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

/** Where everything is mounted, and from what. The data volume comes from the claim template of the same name. */
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
 * Configuration whose change replaces the members has a name with its content's digest: another content is another object, so the
 * pod template changes and members that have not been replaced yet keep what they started with.
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
 * Memory requests equal the limit, so that a node never promises what it does not have. With a limit of CPU that equals its request, too,
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

/** In the order of the keys, so that the order in which a description was written is no change. */
export const sorted = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
