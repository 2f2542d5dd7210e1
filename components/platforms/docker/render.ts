import { createHash } from "node:crypto";
import type { ContainerArgs } from "@pulumi/docker";
import { refuseUnrenderable } from "../check-workload";
import { type ClusterIdentity, replicaName, workloadName } from "../../reach/names";
import { expandCommand, expandText, REPLICA_VARIABLES, type ReplicaVariables } from "../variables";
import { type Command, type Exposure, PROGRAM_UID, type Probe, type WorkloadSpec } from "../workload";
import { goDuration, healthCheckTest, healthCheckTimeout } from "./health-check";
import { dataVolumeName, filesVolumeName, LABELS, secretVolumeName } from "../../reach/docker/names";

/** What a workload's description does not say and the platform knows. */
export interface DockerContext extends ClusterIdentity {
  /** Name of the cluster's network. */
  readonly network: string;
  /** The image to run, by a tag that holds the digest of its content, so that it is known before it is built. */
  readonly image: string;
}

/**
 * Each check is a process that Docker starts in the container, a tenth of a second of processor time: every 5 and 10 s, an idle stack of 17
 * containers took a quarter of a core for them. `up` asks the members itself while it waits, and whoever serves requests (HAProxy,
 * Patroni) has checks of his own; this one is for those who look, and for a program that hangs, which is given longer than that.
 */
const LEAST_CHECK_SECONDS = 15;

/** A workload as the arguments of @pulumi/docker's resources. Everything in it is plain: it is known in every preview. */
export interface RenderedDocker {
  readonly members: readonly RenderedMember[];
  /** Volumes with configuration that changes under the running programs. */
  readonly fileVolumes: readonly {
    readonly volume: string;
    readonly files: Readonly<Record<string, string>>;
  }[];
}

export interface RenderedMember {
  /** Full name of the replica; also its container's name, host name and address. */
  readonly name: string;
  readonly ordinal: number;
  readonly container: ContainerArgs;
  readonly containerOptions: { readonly deleteBeforeReplace: true; readonly replaceOnChanges: string[] };
  readonly dataVolume?: string;
  /** Digest of everything whose change replaces the container. */
  readonly digest: string;
  readonly readiness: Probe;
  readonly handover?: Command;
  readonly replacedLast?: Command;
}

/**
 * The provider says that it updates these in place and does nothing (`resourceDockerContainerUpdate` of
 * kreuzwerker/terraform-provider-docker): they take a new container.
 */
const REPLACE_ON_CHANGES = [
  ...["healthcheck", "init", "tmpfs", "mounts", "cpuQuota", "cpuPeriod", "sysctls", "logOpts", "rm"],
];

/** What the provider really changes in a running container, so that no member is replaced for it, nor hands over. */
const IN_PLACE: readonly (keyof ContainerArgs)[] = [
  ...(["restart", "memory", "memorySwap", "cpuShares", "destroyGraceSeconds"] as const),
];

/** Three files of 10 MB a container: Docker's default keeps everything for ever. */
const LOG_OPTIONS = { "max-file": "3", "max-size": "10m" };

/**
 * A container that is gone leaves its address behind in its neighbours' tables, and who connects to it hears nothing for a minute. Most
 * programs have limits of their own; libpq's cancel of a statement has none and cannot be interrupted, and kept Citus' maintenance daemon,
 * and with it PostgreSQL, from stopping (tried: 72 s; with two retries 7 s).
 */
const SYSCTLS = { "net.ipv4.tcp_syn_retries": "2" };

/** The address of a replica: its container's name, which Docker's DNS resolves inside the cluster's network. */
export const dockerAddress = replicaName;

/** Renders a workload. Throws on what Docker cannot do, with the path of the field. */
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
    // Mode 1777 as /tmp has it: the programs run as a user that the image may not know.
    ...(spec.scratch?.length && {
      tmpfs: Object.fromEntries([...spec.scratch].sort().map((path) => [path, "mode=1777"])),
    }),
    ...(sharedMemoryMiB && { shmSize: sharedMemoryMiB }),
    // Without memorySwap every preview shows an update. Equal to memory: no swap, so that the limit is the limit.
    ...(memoryMiB && { memory: memoryMiB, memorySwap: memoryMiB }),
    // The kernel's smallest share is 2; 1024 shares are what Docker calls a whole CPU.
    ...(cpuMillis && { cpuShares: Math.max(2, Math.round((cpuMillis * 1024) / 1000)) }),
    // Microseconds in each of the kernel's periods of a tenth of a second.
    ...(cpuLimitMillis && { cpuPeriod: 100_000, cpuQuota: cpuLimitMillis * 100 }),
    healthcheck: {
      tests: [...healthCheckTest(readiness, liveness)],
      interval: goDuration(Math.max(readiness.intervalSeconds, LEAST_CHECK_SECONDS)),
      timeout: goDuration(healthCheckTimeout(readiness, liveness)),
      startPeriod: goDuration(readiness.startPeriodSeconds),
      startInterval: "0s",
      retries: readiness.failureThreshold,
    },
    // Comes back after a crash, a kill from inside and a restart of the daemon; stays down after an operator's `docker stop`, also
    // over a restart of the daemon, which "always" would not respect.
    restart: "unless-stopped",
    stopSignal: "SIGTERM",
    stopTimeout: spec.stopGraceSeconds,
    // The provider stops with this, and without it kills at once.
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

/** On loopback only; in the order of the container's ports, in which Docker gives them back. */
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

/** Files whose change replaces the members lie in the container's own layer, so that every container has exactly its own. */
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

/** Digest of a container's arguments without those that change in place. */
export function replacementDigest(container: ContainerArgs): string {
  const replacing = entries({ ...container }).filter(([key]) => !IN_PLACE.some((field) => field === key));
  return createHash("sha256").update(JSON.stringify(replacing)).digest("hex");
}

/** In the order of the keys, so that the order in which a description was written is no change. */
const entries = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
