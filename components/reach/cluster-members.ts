/** What the operators' commands need from a cluster's members. One implementation per platform; `by-platform.ts` selects it. */
import type { Finding } from "./finding";
import type { Reach } from "./reach";

export interface ClusterMember {
  readonly name: string;
  readonly workload: string;
  /** `running`, or the platform's name for another state: `exited`, `paused`, `restarting`, `pending`, `missing`, ... */
  readonly state: string;
  /** Result of its readiness check; `starting` until the check has had time to run. */
  readonly readiness: "ready" | "starting" | "unready";
  /** For display: `Up 2 minutes (healthy)`, or why it does not run. */
  readonly status: string;
  /** The name by which the other members reach it. */
  readonly address: string;
  /** The machine that it runs on; empty if it does not run. */
  readonly node: string;
  /** When its program was started, ISO 8601; undefined if it does not run. */
  readonly startedAt?: string;
  /** How often the platform has restarted it. */
  readonly restarts: number;
}

/** How a command in a member ended. */
export interface Execution {
  readonly exitCode: number;
  /** Its standard output. */
  readonly stdout: string;
  /** Standard output and standard error, interleaved as they arrived. */
  readonly output: string;
}

export interface LogRequest {
  /** Number of last lines. Default: all lines that the platform keeps. */
  readonly tail?: number;
  /** Follow the log until the member stops. */
  readonly follow: boolean;
}

export interface ClusterMembers {
  /** What runs the members, for use in a sentence: `the Docker engine`. */
  readonly platform: string;
  /** Whether a member may connect to the entry like a client. */
  readonly membersReachEntry: boolean;

  /** All existing and missing members, sorted by name. Fails if the platform does not answer. */
  list(): Promise<readonly ClusterMember[]>;
  /** Runs a command and waits for it. Fails if the member does not run or the command exceeds its timeout. */
  execute(member: string, command: readonly string[], timeoutSeconds: number): Promise<Execution>;
  /** Runs a command with the terminal, or the standard streams, of this process; resolves with its exit code. */
  attach(member: string, command: readonly string[], environment?: AttachEnvironment): Promise<number>;
  /** Calls `line` for each line of its log; resolves at the end of the log. */
  logs(member: string, request: LogRequest, line: (text: string) => void): Promise<void>;
  /** How this machine reaches one of its ports. */
  reach(member: string, port: number): Reach;

  /** How to bring back a member that does not run, as the end of the sentence "bring it back: ...". */
  revival(member: Pick<ClusterMember, "name" | "state" | "status">): string;
  /** The command that restarts a member that hangs. */
  restarting(member: string): string;
  /** Checks the platform itself, and the objects that exist only there. */
  health(): Promise<readonly Finding[]>;
}

/** Environment variables of the command. A platform that cannot hide them from other users rejects them. */
export type AttachEnvironment = Readonly<Record<string, string>>;
