import { clusterMembers } from "../components/reach/by-platform";
import type {
  AttachEnvironment,
  ClusterMember,
  ClusterMembers,
  LogRequest,
} from "../components/reach/cluster-members";
import { keepConfiguredCluster } from "../components/reach/kubernetes/configured-cluster";
import { messageOf } from "../components/dynamic/reason";
import { CommandError, UnreachableError } from "./command-error";
import { pulumiCli } from "./pulumi-cli";
import { clusterDomain, clusterName, databaseName, make, ownerPlace, type Stack, written } from "./stack";

/** Timeout of a command in a member that normally answers immediately. */
const QUICK_SECONDS = 30;

/** A stack's running cluster. */
export interface Cluster {
  readonly stack: Stack;
  /** The prefix of its members' names; Patroni's scope. */
  readonly name: string;
  /** The application's database. */
  readonly database: string;
  readonly reach: ClusterMembers;
  /** All members, or those of a workload. */
  members(workload?: string): Promise<readonly ClusterMember[]>;
  /** Runs a command in a member and resolves with its output; rejects with its error output if it fails. */
  execute(member: string, command: readonly string[], seconds?: number): Promise<string>;
  /** Runs a command at this process's terminal; resolves with its exit code. */
  attach(member: string, command: readonly string[], environment?: AttachEnvironment): Promise<number>;
  logs(member: string, request: LogRequest, line: (text: string) => void): Promise<void>;
}

/** Errors of a platform are for the operator, without a stack trace. */
const failed = (error: unknown): never => {
  throw new CommandError(messageOf(error), { cause: error });
};

/** Selects the Kubernetes cluster that the stack's settings name, as the stack's provider does. */
export async function nameKubernetes(stack: Stack): Promise<void> {
  if (ownerPlace(stack).via !== "kubernetes") return;
  const values = new Map<string, string>();
  for (const setting of ["kubeconfig", "context"]) {
    const value = written(stack, setting, "kubernetes");
    if (typeof value === "string") values.set(`kubernetes:${setting}`, value);
    // A secret, which only the CLI can decrypt.
    else if (value !== undefined)
      values.set(
        `kubernetes:${setting}`,
        await pulumiCli(stack.name, stack).setting(`kubernetes:${setting}`),
      );
  }
  const get = (key: string) => values.get(key);
  await keepConfiguredCluster({ config: { get } } as Parameters<typeof keepConfiguredCluster>[0]);
}

export async function openCluster(stack: Stack): Promise<Cluster> {
  await nameKubernetes(stack);
  const reach = clusterMembers(ownerPlace(stack), make(stack, "up"), () => clusterDomain(stack));
  return clusterOf(stack, reach);
}

/** The same over any implementation of `ClusterMembers`. */
export function clusterOf(stack: Stack, reach: ClusterMembers): Cluster {
  return {
    ...{ stack, reach },
    name: clusterName(stack),
    get database() {
      return databaseName(stack);
    },
    async members(workload) {
      const all = await reach.list().catch((error: unknown) => {
        throw new UnreachableError(
          `${reach.platform} cannot be reached: ${messageOf(error)}. ${make(stack, "doctor")} shows more`,
          error,
        );
      });
      return all.filter((member) => workload === undefined || member.workload === workload);
    },
    async execute(member, command, seconds = QUICK_SECONDS) {
      const { exitCode, stdout, output } = await reach.execute(member, command, seconds).catch(failed);
      if (exitCode === 0) return stdout;
      const [program = "", limit = "", limited = ""] = command;
      // What timeout(1) ends with when it has ended the command.
      if (program === "timeout" && exitCode === 124)
        throw new CommandError(`${limited} in ${member} did not finish within ${limit} s`);
      throw new CommandError(`${program} in ${member} failed (${exitCode}): ${output}`);
    },
    attach: (member, command, environment) => reach.attach(member, command, environment).catch(failed),
    logs: (member, request, line) => reach.logs(member, request, line).catch(failed),
  };
}

export const isRunning = ({ state }: Pick<ClusterMember, "state">): boolean => state === "running";

/** A running member of the workload, or an error with the way out. */
export async function runningMember(cluster: Cluster, workload: string): Promise<ClusterMember> {
  const { stack } = cluster;
  const all = await cluster.members(workload);
  const running = all.find(isRunning);
  if (running) return running;
  throw new CommandError(
    all.length === 0
      ? `the stack ${stack.name} has no ${workload} member: start it with ${make(stack, "up")}`
      : `no ${workload} member of the stack ${stack.name} is running (${all.map((m) => `${m.name}: ${m.state}`).join(", ")}): ${make(stack, "doctor")} shows why`,
  );
}
