/** What operators' commands ask of a cluster's members, wherever these run. One implementation per platform; `by-platform.ts` picks it. */
import type { Finding } from "./finding";
import type { Reach } from "./reach";

export interface ClusterMember {
  readonly name: string;
  readonly workload: string;
  /** `running`; else the platform's word for what it is: `exited`, `paused`, `restarting`, `pending`, `missing`, ... */
  readonly state: string;
  /** What its readiness check says; `starting` until that has had time to say anything. */
  readonly readiness: "ready" | "starting" | "unready";
  /** For a person: `Up 2 minutes (healthy)`, or why it does not run. */
  readonly status: string;
  /** The name under which the other members know it. */
  readonly address: string;
  /** The machine that it runs on; empty while it runs on none. */
  readonly node: string;
  /** When its program was started, ISO 8601; undefined while it does not run. */
  readonly startedAt?: string;
  /** How often it was started again by itself. */
  readonly restarts: number;
}

/** How a command in a member ended. */
export interface Execution {
  readonly exitCode: number;
  /** What it printed. */
  readonly stdout: string;
  /** The same with what it complained of, as both came. */
  readonly output: string;
}

export interface LogRequest {
  /** How many of its last lines; undefined: all that is kept. */
  readonly tail?: number;
  /** Go on until the member ends. */
  readonly follow: boolean;
}

export interface ClusterMembers {
  /** What runs the members, as a sentence names it: `the Docker engine`. */
  readonly platform: string;
  /** Whether a member is admitted to the entry, as a client is. */
  readonly membersReachEntry: boolean;

  /** Every member that there is or should be, by name. Fails when the platform cannot be asked. */
  list(): Promise<readonly ClusterMember[]>;
  /** Runs a command to its end. Fails when the member does not run, or the command takes longer than its time. */
  execute(member: string, command: readonly string[], timeoutSeconds: number): Promise<Execution>;
  /** Runs a command with this process's terminal, or its input and outputs, as its own; resolves with its exit code. */
  attach(member: string, command: readonly string[], environment?: AttachEnvironment): Promise<number>;
  /** Hands over the lines of its log; resolves when there are no more. */
  logs(member: string, request: LogRequest, line: (text: string) => void): Promise<void>;
  /** How this machine gets to a port of it. */
  reach(member: string, port: number): Reach;

  /** What brings back a member that does not run, as a sentence goes on after "bring it back: ". */
  revival(member: Pick<ClusterMember, "name" | "state" | "status">): string;
  /** What ends a member that runs and hangs, and starts it anew. */
  restarting(member: string): string;
  /** What is checked of the platform itself, and of what only exists there. */
  health(): Promise<readonly Finding[]>;
}

/** Variables of the command. A platform that could not keep them from other users refuses them. */
export type AttachEnvironment = Readonly<Record<string, string>>;
