import { type Call } from "./call";
import { type Cluster, isRunning, runningMember } from "./cluster";
import { CommandError, UsageError } from "./command-error";
import { firstAnswer } from "./first-answer";
import { make } from "./stack";

/** A member of a Patroni cluster, as `patronictl list` prints it. */
export interface PatroniMember {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
  readonly TL?: number;
  readonly "Replay Lag"?: number | string;
  readonly "Pending restart"?: string;
}

export const isLeader = ({ Role }: Pick<PatroniMember, "Role">): boolean => /leader/i.test(Role);

/** A group of database members: one database, or the coordinators (number 0) or a worker group of a distributed one. */
export interface Group {
  readonly workload: string;
  /** Its group number in a Citus cluster. */
  readonly number?: number;
}

/** The group of a database workload; undefined for other workloads. */
export function asGroup(workload: string): Group | undefined {
  if (workload === "patroni") return { workload };
  if (workload === "coordinator") return { workload, number: 0 };
  const worker = /^worker-(\d+)$/.exec(workload)?.[1];
  return worker === undefined ? undefined : { workload, number: Number(worker) };
}

/** The groups of these members; the first is the one that clients connect to. */
export const groupsOf = (members: readonly { readonly workload: string }[]): readonly Group[] =>
  [...new Set(members.map(({ workload }) => workload))]
    .flatMap((workload) => asGroup(workload) ?? [])
    .sort((one, other) => (one.number ?? 0) - (other.number ?? 0));

export async function groups(cluster: Cluster): Promise<readonly Group[]> {
  const found = groupsOf(await cluster.members());
  if (found.length > 0) return found;
  const { stack } = cluster;
  throw new CommandError(
    `the stack ${stack.name} has no database members: start it with ${make(stack, "up")}`,
  );
}

/** The group with the number GROUP; by default, the one that clients connect to. */
export async function chosenGroup(cluster: Cluster, { variable }: Pick<Call, "variable">): Promise<Group> {
  const all = await groups(cluster);
  const wanted = variable("GROUP");
  const found = wanted ? all.find(({ number }) => String(number ?? 0) === wanted) : all[0];
  if (found) return found;
  const numbers = all.map(({ number }) => number ?? 0).join(", ");
  throw new UsageError(
    `the stack ${cluster.stack.name} has no group ${wanted ?? ""}: GROUP is one of ${numbers}`,
  );
}

/** Arguments that select a group of a distributed database in `patronictl`. */
const ofGroup = ({ number }: Group): readonly string[] =>
  number === undefined ? [] : ["--group", String(number)];

/** Patroni's own view of a group, from any member that reaches etcd. One that is cut off would retry forever, hence the timeout. */
export async function patroniMembers(cluster: Cluster, group: Group): Promise<PatroniMember[]> {
  const first = await runningMember(cluster, group.workload);
  const others = (await cluster.members(group.workload)).filter(
    (member) => isRunning(member) && member.name !== first.name,
  );
  const list = ["timeout", "20", "patronictl", "list", ...ofGroup(group), "--format", "json"];
  const answer = await firstAnswer(
    [first, ...others].map(({ name }) => name),
    (name) => cluster.execute(name, list),
  );
  return JSON.parse(answer) as PatroniMember[];
}

export async function leader(cluster: Cluster, group: Group): Promise<string> {
  const found = (await patroniMembers(cluster, group)).find(isLeader);
  if (found) return found.Member;
  throw new CommandError(
    `${group.workload} has no leader at the moment: ${make(cluster.stack, "doctor")} shows why`,
  );
}
