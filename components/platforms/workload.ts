import type { Input } from "@pulumi/pulumi";

/**
 * A program that runs as `replicas` members with stable names: what is to run, not where. There is no word of Docker or
 * Kubernetes in it; a renderer turns it into the platform's own types, and either renders a field or throws with its path.
 *
 * Texts in `command`, `env`, `readiness` and `handover` may hold per-replica variables, which the platform expands:
 * `$(REPLICA_NAME)` (for instance `pg-dev-etcd-0`), `$(REPLICA_ADDRESS)` (the name under which other workloads reach it)
 * and `$(REPLICA_ORDINAL)` (`0`, `1`, ...). An unknown variable is an error. They also exist as environment variables.
 */
export interface WorkloadSpec {
  /** What it is in the cluster, a DNS label such as `etcd`; `names.ts` makes the full names from it. */
  readonly name: string;
  /** Which image runs: a key of the image table in `config-files/images.ts`. */
  readonly image: string;
  /** How many members. A plain number, so that a preview is complete. */
  readonly replicas: number;
  /** The program with its arguments; the image's own entry point runs it under the supervisor. */
  readonly command?: readonly string[];
  /** Plain environment variables. Never a secret: everybody who may inspect a container reads them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration, keyed by the absolute path of the directory it is mounted at. */
  readonly configuration?: Readonly<Record<string, ConfigurationDirectory>>;
  /** Secrets, keyed by the absolute path of the directory they are mounted at (mode 0400). A change reaches the running members. */
  readonly secrets?: Readonly<Record<string, SecretRef>>;
  /** The data volume that each replica has; it outlives the replica. */
  readonly data?: DataVolume;
  /** Writable directories whose content may be lost, by absolute path. */
  readonly scratch?: readonly string[];
  /** The ports the program listens on, keyed by their name (at most 15 characters, a DNS label). */
  readonly ports: Readonly<Record<string, Port>>;
  /** Whom it connects to outside the cluster. Default nobody. Docker admits it anyway. */
  readonly egress?: readonly Destination[];
  /** When a member can serve. It gates the start of what depends on it, and the next step of a rolling change. */
  readonly readiness: Probe;
  /** When a member should be restarted because it hangs. */
  readonly liveness?: Probe;
  readonly resources?: Resources;
  /** How long a member may take to stop before it is killed, in seconds. */
  readonly stopGraceSeconds: number;
  /** Runs in a replica before it is replaced on purpose, and must hand over what only one replica can have (leadership). */
  readonly handover?: Command;
  /**
   * The same where the platform ends a replica by itself, as for a drain or when all of them go: it may end anyway, so this waits for less.
   * On Docker the image's entry point does it.
   */
  readonly beforeStop?: Command;
  /**
   * Runs in any replica and prints the name of the one that a rolling change must replace last; prints nothing when there is none.
   */
  readonly replacedLast?: Command;
  /** Where clients on the machine that runs the program reach it (Docker) or how it is exposed (Kubernetes: a Service for all replicas). */
  readonly exposed?: Exposure;
}

export interface ConfigurationDirectory {
  /** File name to text. */
  readonly files: Readonly<Record<string, string>>;
  /** `replace`: a change replaces the members, one at a time. `reload`: the files change under the running program, which reloads. */
  readonly onChange: "replace" | "reload";
}

export interface DataVolume {
  readonly path: string;
  /** For instance `10Gi`. Docker has no limits on volumes, so it counts on Kubernetes only. */
  readonly size: string;
}

export interface Port {
  readonly port: number;
  /**
   * Who connects to it: programs of the cluster, by their images' names, or `anybody`, clients outside among them. Kubernetes admits
   * nobody else; on Docker all members of a cluster share a network, and what is in them asks who it is.
   */
  readonly from: "anybody" | readonly string[];
}

/** An address outside the cluster. */
export interface Destination {
  /** A network (CIDR): `203.0.113.0/24`, `0.0.0.0/0` for all. Names cannot be admitted by a network policy. */
  readonly network: string;
  readonly ports: readonly number[];
}

export interface Exposure {
  /**
   * Host port on 127.0.0.1 by port name, for replica 0; replica n gets `n * replicaStep` more, so that each replica of an entry
   * can be reached when another one is gone.
   */
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly replicaStep: number;
}

/** A check that runs inside the member. Exit code 0 is good. */
export interface Probe extends Command {
  readonly intervalSeconds: number;
  /** How many failures in a row it takes. */
  readonly failureThreshold: number;
  /** Failures in this time after the start do not count. */
  readonly startPeriodSeconds: number;
}

export interface Command {
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
}

export interface Resources {
  /** Memory limit in MiB. */
  readonly memoryMiB?: number;
  /** CPU share in thousandths of a core that is set aside. */
  readonly cpuMillis?: number;
  /** The most that it gets, in thousandths of a core. Default: what nobody else uses. */
  readonly cpuLimitMillis?: number;
  /** Size of /dev/shm in MiB (PostgreSQL's parallel queries live there; containers have 64 by default). */
  readonly sharedMemoryMiB?: number;
}

/** The content of a secret: file name to text, usually other resources' secret outputs. */
export type SecretData = Readonly<Record<string, Input<string>>>;

/** A secret that a platform keeps; workloads name it to mount it. */
export interface SecretRef {
  readonly name: string;
}

/** The user and group that every program of ours runs as, in every image. A number, so that `runAsNonRoot` can be checked. */
export const PROGRAM_UID = 10001;
