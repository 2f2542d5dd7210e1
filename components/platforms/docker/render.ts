import { createHash } from "node:crypto";
import type { ContainerArgs } from "@pulumi/docker";
import { refuseUnrenderable } from "../check-workload";
import { type ClusterIdentity, replicaName, workloadName } from "../../reach/names";
import { expandCommand, expandText, REPLICA_VARIABLES, type ReplicaVariables } from "../variables";
import { type Command, type Exposure, PROGRAM_UID, type Probe, type WorkloadSpec } from "../workload";
import { goDuration, healthCheckTest, healthCheckTimeout } from "./health-check";
import { dataVolumeName, filesVolumeName, LABELS, secretVolumeName } from "../../reach/docker/names";

/** What the platform knows in addition to a workload's spec. */
export interface DockerContext extends ClusterIdentity {
  /** Name of the cluster's network. */
  readonly network: string;
  /** The image to run. Its tag contains the digest of its content, so it is known before the image is built. */
  readonly image: string;
}

/**
 * Minimum interval of health checks. Docker starts a process in the container for each one, which takes 0.1 s of CPU time: with intervals of
 * 5 and 10 s, an idle stack of 17 containers used a quarter of a core. A longer interval is enough for operators and for detecting a
 * program that hangs: `up` runs the readiness checks itself while it waits, and HAProxy and Patroni have their own checks.
 */
const LEAST_CHECK_SECONDS = 15;

/** A workload as arguments of @pulumi/docker's resources. It contains no outputs, so everything is known in a preview. */
export interface RenderedDocker {
  readonly members: readonly RenderedMember[];
  /** Volumes with configuration that is changed while programs run. */
  readonly fileVolumes: readonly {
    readonly volume: string;
    readonly files: Readonly<Record<string, string>>;
  }[];
}

export interface RenderedMember {
  /** Full name of the replica, also its container name, host name and address. */
  readonly name: string;
  readonly ordinal: number;
  readonly container: ContainerArgs;
  readonly containerOptions: { readonly deleteBeforeReplace: true; readonly replaceOnChanges: string[] };
  readonly dataVolume?: string;
  /** Digest of all arguments whose change replaces the container. */
  readonly digest: string;
  readonly readiness: Probe;
  readonly handover?: Command;
  readonly replacedLast?: Command;
}

/**
 * The provider claims to update these in place but does nothing (`resourceDockerContainerUpdate` of
 * kreuzwerker/terraform-provider-docker), so they require a replacement.
 */
const REPLACE_ON_CHANGES = [
  ...["healthcheck", "init", "tmpfs", "mounts", "cpuQuota", "cpuPeriod", "sysctls", "logOpts", "rm"],
];

/** What the provider does update in a running container, so a change needs neither a replacement nor a handover. */
const IN_PLACE: readonly (keyof ContainerArgs)[] = [
  ...(["restart", "memory", "memorySwap", "cpuShares", "destroyGraceSeconds"] as const),
];

/** Three files of 10 MB per container: Docker's default is unlimited. */
const LOG_OPTIONS = { "max-file": "3", "max-size": "10m" };

/**
 * After a container is removed, its address stays in the ARP caches of the others for a minute, and connection attempts to it get no answer.
 * Most programs have their own timeouts. libpq's cancel request has none and cannot be interrupted, which kept Citus' maintenance daemon,
 * and so PostgreSQL, from stopping (measured: 72 s; with two retries 7 s).
 */
const SYSCTLS = { "net.ipv4.tcp_syn_retries": "2" };

/** The address of a replica is its container name, which Docker's DNS resolves inside the cluster's network. */
export const dockerAddress = replicaName;

/** Renders a workload. Throws an error with the path of the field if Docker does not support something. */
export function renderDocker(spec: WorkloadSpec, context: DockerContext): RenderedDocker {
  refuseUnrenderable(spec);
  const workload = workloadName(context, spec.name);
  return {
    members: [...Array(spec.replicas).keys()].map((ordinal) => renderMember(spec, context, ordinal)),
    fileVolumes: entries(spec.configuration)
      .filter(([, directory]) => directory.onChange === "reload")
      .map(([path, directory]) => ({ volume: filesVolumeName(workload, path), files: directory.files })),
  };
}

function renderMember(spec: WorkloadSpec, context: DockerContext, ordinal: number): RenderedMember {
  const name = replicaName(context, spec.name, ordinal);
  const variables: ReplicaVariables = {
    REPLICA_NAME: name,
    REPLICA_ADDRESS: dockerAddress(context, spec.name, ordinal),
    REPLICA_ORDINAL: String(ordinal),
  };
  const at = (field: string): string => `${spec.name}.${field}`;
  const expandedCommand = <C extends Command>(command: C, field: string): C => ({
    ...command,
    command: expandCommand(command.command, variables, at(`${field}.command`)),
  });
  const readiness = expandedCommand(spec.readiness, "readiness");
  const liveness = spec.liveness && expandedCommand(spec.liveness, "liveness");
  const dataVolume = spec.data && dataVolumeName(name);
  const { memoryMiB, cpuMillis, cpuLimitMillis, sharedMemoryMiB } = spec.resources ?? {};
  const container: ContainerArgs = {
    name,
    hostname: name,
    image: context.image,
    ...(spec.command && { command: [...expandCommand(spec.command, variables, at("command"))] }),
    user: `${PROGRAM_UID}:${PROGRAM_UID}`,
    envs: environment(spec, variables),
    networksAdvanced: [{ name: context.network, aliases: [workloadName(context, spec.name)] }],
    ...(spec.exposed && { ports: publishedPorts(spec.exposed, spec, ordinal) }),
    volumes: volumes(spec, context, dataVolume),
    uploads: uploads(spec),
    // Mode 1777, like /tmp: the programs run as a user that may not exist in the image.
    ...(spec.scratch?.length && {
      tmpfs: Object.fromEntries([...spec.scratch].sort().map((path) => [path, "mode=1777"])),
    }),
    ...(sharedMemoryMiB && { shmSize: sharedMemoryMiB }),
    // Without memorySwap every preview shows an update. Equal to memory means no swap, so the memory limit is strict.
    ...(memoryMiB && { memory: memoryMiB, memorySwap: memoryMiB }),
    // The kernel's minimum is 2 shares; in Docker's terms 1024 shares are one CPU.
    ...(cpuMillis && { cpuShares: Math.max(2, Math.round((cpuMillis * 1024) / 1000)) }),
    // In microseconds per scheduling period of 0.1 s.
    ...(cpuLimitMillis && { cpuPeriod: 100_000, cpuQuota: cpuLimitMillis * 100 }),
    healthcheck: {
      tests: [...healthCheckTest(readiness, liveness)],
      interval: goDuration(Math.max(readiness.intervalSeconds, LEAST_CHECK_SECONDS)),
      timeout: goDuration(healthCheckTimeout(readiness, liveness)),
      startPeriod: goDuration(readiness.startPeriodSeconds),
      startInterval: "0s",
      retries: readiness.failureThreshold,
    },
    // Restarts after a crash, a kill from inside and a restart of the daemon. Unlike "always", it stays stopped after an operator's
    // `docker stop`, even if the daemon restarts.
    restart: "unless-stopped",
    stopSignal: "SIGTERM",
    stopTimeout: spec.stopGraceSeconds,
    // The provider stops the container with this grace period; without it, it kills the container immediately.
    destroyGraceSeconds: spec.stopGraceSeconds,
    sysctls: SYSCTLS,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    logDriver: "json-file",
    logOpts: LOG_OPTIONS,
    labels: [
      { label: LABELS.replica, value: name },
      { label: LABELS.stack, value: context.cluster },
      { label: LABELS.workload, value: spec.name },
    ],
  };
  return {
    name,
    ordinal,
    container,
    containerOptions: { deleteBeforeReplace: true, replaceOnChanges: REPLACE_ON_CHANGES },
    ...(dataVolume && { dataVolume }),
    digest: replacementDigest(container),
    readiness,
    ...(spec.handover && { handover: expandedCommand(spec.handover, "handover") }),
    ...(spec.replacedLast && { replacedLast: expandedCommand(spec.replacedLast, "replacedLast") }),
  };
}

function environment(spec: WorkloadSpec, variables: ReplicaVariables): string[] {
  const own = entries(spec.env).map(
    ([name, text]) => `${name}=${expandText(text, variables, `${spec.name}.env.${name}`)}`,
  );
  return [...own, ...REPLICA_VARIABLES.map((name) => `${name}=${variables[name]}`)].sort();
}

/** On loopback only. Sorted by container port, as Docker returns them. */
function publishedPorts({ hostPorts, replicaStep }: Exposure, spec: WorkloadSpec, ordinal: number) {
  return entries(spec.ports)
    .flatMap(([name, { port }]) => {
      const first = hostPorts[name];
      if (first === undefined) return [];
      return [{ internal: port, external: first + ordinal * replicaStep, ip: "127.0.0.1", protocol: "tcp" }];
    })
    .sort((a, b) => a.internal - b.internal);
}

function volumes(spec: WorkloadSpec, context: DockerContext, dataVolume: string | undefined) {
  const workload = workloadName(context, spec.name);
  return [
    ...(spec.data && dataVolume
      ? [{ containerPath: spec.data.path, volumeName: dataVolume, readOnly: false }]
      : []),
    ...entries(spec.secrets).map(([containerPath, secret]) => ({
      containerPath,
      volumeName: secretVolumeName(context.cluster, secret.name),
      readOnly: true,
    })),
    ...entries(spec.configuration)
      .filter(([, directory]) => directory.onChange === "reload")
      .map(([containerPath]) => ({
        containerPath,
        volumeName: filesVolumeName(workload, containerPath),
        readOnly: true,
      })),
  ];
}

/** Files whose change replaces the members are stored in the container itself, so each container keeps the ones that it was created with. */
function uploads(spec: WorkloadSpec) {
  return entries(spec.configuration)
    .filter(([, directory]) => directory.onChange === "replace")
    .flatMap(([path, directory]) =>
      entries(directory.files).map(([file, content]) => ({
        file: `${path}/${file}`,
        content,
        permissions: "0444",
      })),
    );
}

/** Digest of a container's arguments, except those that are updated in place. */
export function replacementDigest(container: ContainerArgs): string {
  const replacing = entries({ ...container }).filter(([key]) => !IN_PLACE.some((field) => field === key));
  return createHash("sha256").update(JSON.stringify(replacing)).digest("hex");
}

/** Sorted by key, so that the order in the spec does not matter. */
const entries = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
