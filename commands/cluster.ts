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

/** How long a command in a member may take that answers at once where all is well. */
const QUICK_SECONDS = 30;

/** A stack's running cluster. */
export interface Cluster {
  readonly stack: Stack;
  /** What its members' names begin with; Patroni's scope. */
  readonly name: string;
  /** The application's database. */
  readonly database: string;
  readonly reach: ClusterMembers;
  /** Every member, or those of a workload. */
  members(workload?: string): Promise<readonly ClusterMember[]>;
  /** What a command in a member prints; fails, with what it complained of, when it fails. */
  execute(member: string, command: readonly string[], seconds?: number): Promise<string>;
  /** Runs a command at this process's terminal; resolves with its exit code. */
  attach(member: string, command: readonly string[], environment?: AttachEnvironment): Promise<number>;
  logs(member: string, request: LogRequest, line: (text: string) => void): Promise<void>;
}

/** What a platform fails with is an operator's to mend. */
const told = (error: unknown): never => {
  throw new CommandError(messageOf(error), { cause: error });
};

/** Sees to it that the Kubernetes cluster is met that the stack names, as its provider does. */
export async function nameKubernetes(stack: Stack): Promise<void> {
  if (ownerPlace(stack).via !== "kubernetes") return;
  const values = new Map<string, string>();
  for (const setting of ["kubeconfig", "context"]) {
    const value = written(stack, setting, "kubernetes");
    if (typeof value === "string") values.set(`kubernetes:${setting}`, value);
    // A secret, which the CLI alone can read.
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
  return clusterOf(stack, clusterMembers(ownerPlace(stack), clusterDomain(stack)));
}

/** The same over any implementation of the seam. */
export function clusterOf(stack: Stack, reach: ClusterMembers): Cluster {
  return {
    ...{ stack, reach },
    name: clusterName(stack),
    database: databaseName(stack),
    async members(workload) {
      const all = await reach.list().catch((error: unknown) => {
        throw new UnreachableError(
          `${reach.platform} cannot be asked: ${messageOf(error)}. ${make(stack, "doctor")} says more`,
          error,
        );
      });
      return all.filter((member) => workload === undefined || member.workload === workload);
    },
    async execute(member, command, seconds = QUICK_SECONDS) {
      const { exitCode, stdout, output } = await reach.execute(member, command, seconds).catch(told);
      if (exitCode !== 0)
        throw new CommandError(`${command[0] ?? ""} in ${member} failed (${exitCode}): ${output}`);
      return stdout;
    },
    attach: (member, command, environment) => reach.attach(member, command, environment).catch(told),
    logs: (member, request, line) => reach.logs(member, request, line).catch(told),
  };
}

export const isRunning = ({ state }: Pick<ClusterMember, "state">): boolean => state === "running";

/** A running member of the workload, or an error that says what to do. */
export async function runningMember(cluster: Cluster, workload: string): Promise<ClusterMember> {
  const { stack } = cluster;
  const all = await cluster.members(workload);
  const running = all.find(isRunning);
  if (running) return running;
  throw new CommandError(
    all.length === 0
      ? `the stack ${stack.name} has no ${workload}: bring it up with ${make(stack, "up")}`
      : `no ${workload} of the stack ${stack.name} is running (${all.map((m) => `${m.name}: ${m.state}`).join(", ")}): ${make(stack, "doctor")} says why`,
  );
}
