import type { Input } from "@pulumi/pulumi";

/**
 * A program that runs as `replicas` members with stable names: what to run, not where. It is independent of Docker and
 * Kubernetes: each platform renders it into its own types. docs/architecture.md lists the fields that a platform does not use. A field that
 * no platform knows is an error.
 *
 * `command`, `env` and the commands of probes and hooks may contain per-replica variables, which the platform expands:
 * `$(REPLICA_NAME)` (for example `pg-dev-etcd-0`), `$(REPLICA_ADDRESS)` (the DNS name at which other workloads reach the replica)
 * and `$(REPLICA_ORDINAL)` (`0`, `1`, ...). An unknown variable is an error. They are also set as environment variables.
 */
export interface WorkloadSpec {
  /** Name of the workload in the cluster, a DNS label such as `etcd`. Full names are derived from it in `reach/names.ts`. */
  readonly name: string;
  /** The image to run: a key of the platform's image table, by default `config-files/images.ts`. */
  readonly image: string;
  /** Number of members. A plain number, so that previews are complete. */
  readonly replicas: number;
  /** The program with its arguments. The image's entry point runs it under the supervisor. */
  readonly command?: readonly string[];
  /** Environment variables. Do not put secrets here: anyone who may inspect a container can read them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration files, keyed by the absolute path of the directory that they are mounted at. */
  readonly configuration?: Readonly<Record<string, ConfigurationDirectory>>;
  /** Secrets, keyed by the absolute path of the directory that they are mounted at (mode 0400). Running members get changes. */
  readonly secrets?: Readonly<Record<string, SecretRef>>;
  /** The data volume of each replica. It outlives the replica. */
  readonly data?: DataVolume;
  /** Writable directories whose content may be lost, as absolute paths. */
  readonly scratch?: readonly string[];
  /** The ports that the program listens on, keyed by name (a DNS label of at most 15 characters). */
  readonly ports: Readonly<Record<string, Port>>;
  /** Destinations outside the cluster that it connects to. Default: none. Docker does not restrict egress. */
  readonly egress?: readonly Destination[];
  /** Checks whether a member can serve. Dependent resources and the next step of a rolling update wait for it. */
  readonly readiness: Probe;
  /** Checks whether a member hangs and must be restarted. */
  readonly liveness?: Probe;
  readonly resources?: Resources;
  /** Seconds that a member may take to stop before it is killed. */
  readonly stopGraceSeconds: number;
  /** Runs in a replica before a planned replacement. It must hand over what only one replica can have, such as leadership. */
  readonly handover?: Command;
  /**
   * The same when the platform stops a replica, for example to drain a node or to delete the workload. The replica stops even if this fails,
   * so it waits for less. On Docker the image's entry point does it.
   */
  readonly beforeStop?: Command;
  /**
   * Runs in any replica. Prints the name of the replica that a rolling update must replace last, or nothing if it does not matter.
   */
  readonly replacedLast?: Command;
  /** How external clients reach it: host ports on 127.0.0.1 (Docker), or one Service for all replicas (Kubernetes). */
  readonly exposed?: Exposure;
}

export interface ConfigurationDirectory {
  /** Content by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** `replace`: a change replaces the members, one at a time. `reload`: the files change in place and the program reloads them. */
  readonly onChange: "replace" | "reload";
}

export interface DataVolume {
  readonly path: string;
  /** For example `10Gi`. Used on Kubernetes only: Docker volumes have no size limit. */
  readonly size: string;
}

export interface Port {
  readonly port: number;
  /**
   * Which workloads may connect, by image name, or `anybody`, which includes external clients. On Kubernetes network policies reject all other
   * connections. On Docker all members share a network and rely on authentication.
   */
  readonly from: "anybody" | readonly string[];
}

/** An address outside the cluster. */
export interface Destination {
  /** A network (CIDR): `203.0.113.0/24`, or `0.0.0.0/0` for all. Network policies do not support host names. */
  readonly network: string;
  readonly ports: readonly number[];
}

export interface Exposure {
  /**
   * Host port on 127.0.0.1 by port name, for replica 0. Replica n gets `n * replicaStep` more, so that clients can reach each replica
   * while another one is down.
   */
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly replicaStep: number;
}

/** A check that runs inside the member. Exit code 0 means success. */
export interface Probe extends Command {
  readonly intervalSeconds: number;
  /** Number of consecutive failures after which the check fails. */
  readonly failureThreshold: number;
  /** Failures during this time after the start do not count. */
  readonly startPeriodSeconds: number;
}

export interface Command {
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
}

export interface Resources {
  /** Memory limit in MiB. */
  readonly memoryMiB?: number;
  /** CPU request in thousandths of a core. */
  readonly cpuMillis?: number;
  /** CPU limit in thousandths of a core. Default: no limit. */
  readonly cpuLimitMillis?: number;
  /** Size of /dev/shm in MiB. PostgreSQL's parallel queries use it; containers have 64 by default. */
  readonly sharedMemoryMiB?: number;
}

/** The content of a secret by file name, usually secret outputs of other resources. */
export type SecretData = Readonly<Record<string, Input<string>>>;

/** A secret on a platform, which workloads can mount. */
export interface SecretRef {
  readonly name: string;
}

/** The user and group id that programs run as, in every image. Numeric, so that Kubernetes can verify `runAsNonRoot`. */
export const PROGRAM_UID = 10001;
