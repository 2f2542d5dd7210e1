import type { CitusCoordinator } from "./citus-coordinator";
import {
  type PatroniGroupSettings,
  type ResolvedPatroniGroup,
  resolvePatroniGroup,
} from "./patroni-group-args";
import type { Problem } from "./problems";

/** One worker group, which holds a part of the shards. */
export interface WorkerGroupArgs extends PatroniGroupSettings {
  /** 1 and upwards. A group keeps its number for ever, and the number of one that was removed is not used again. */
  readonly group: number;
}

/** The worker groups of a distributed database. */
export interface WorkerPoolArgs extends PatroniGroupSettings {
  /** The coordinators that the groups belong to. */
  readonly coordinator: CitusCoordinator;
  /**
   * A count (groups 1 to n), or a list, whose entries may differ in everything that a group has. Default 2. Lowering the count removes
   * the groups with the greatest numbers, after their shards have been moved.
   */
  readonly groups?: number | readonly WorkerGroupArgs[];
  /** Refuse what only a trial may have. Default true. */
  readonly production?: boolean;
  /** Spread the shards anew when a group was added. Default true. Without it, a new group gets only shards of new tables. */
  readonly rebalance?: boolean;
}

export interface ResolvedWorkerGroup extends ResolvedPatroniGroup {
  readonly group: number;
}

export interface ResolvedWorkerPool {
  readonly groups: readonly ResolvedWorkerGroup[];
  readonly rebalance: boolean;
}

/** Groups that a cluster's names have room for: `worker-100`. */
const GREATEST_GROUP = 100;
const DEFAULT_GROUPS = 2;
const DEFAULT_MEMBERS = 2;

/** Fills in defaults and finds everything that is wrong. `coordinatorConnections` is the coordinators' `max_connections`. */
export function resolveWorkerPool(
  args: Omit<WorkerPoolArgs, "coordinator"> & { readonly scope: string },
  coordinatorConnections: number,
): { readonly value: ResolvedWorkerPool; readonly problems: readonly Problem[] } {
  const { groups = DEFAULT_GROUPS, production = true, rebalance = true, scope, ...settings } = args;
  const common = { ...settings, members: settings.members ?? DEFAULT_MEMBERS };
  const problems: Problem[] = [];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `workers.${setting}`, value, rule, remedy });
  };
  const counted = typeof groups === "number";
  if (counted && (!Number.isInteger(groups) || groups < 1 || groups > GREATEST_GROUP)) {
    problem("groups", groups, `must be 1 to ${GREATEST_GROUP}: shards lie on worker groups`, "Use 2");
    return { value: { groups: [], rebalance }, problems };
  }
  const list = counted ? [...Array(groups).keys()].map((i): WorkerGroupArgs => ({ group: i + 1 })) : groups;
  if (list.length === 0) {
    problem(
      "groups",
      groups,
      "must name at least one group: shards lie on worker groups",
      "Write - group: 1",
    );
  }
  const seen = new Set<number>();
  const resolved = list.map(({ group, ...own }, i): ResolvedWorkerGroup => {
    const section = counted ? "workers" : `workers.groups[${i}]`;
    if (!Number.isInteger(group) || group < 1 || group > GREATEST_GROUP) {
      problem(
        `groups[${i}].group`,
        group,
        `must be 1 to ${GREATEST_GROUP}; 0 is the coordinators'`,
        "Use the next free number",
      );
    } else if (seen.has(group)) {
      problem(
        `groups[${i}].group`,
        group,
        "is the number of two groups",
        "Give each group a number of its own",
      );
    }
    seen.add(group);
    const result = resolvePatroniGroup({ ...common, ...own, scope }, section, {
      citus: "worker",
      leastConnections: coordinatorConnections,
    });
    const { value } = result;
    // A count gives every group the same settings, and the same problems.
    if (!counted || i === 0) {
      problems.push(...result.problems);
      if (value.members === 1 && production) {
        problems.push({
          setting: `${section}.members`,
          value: 1,
          rule: "must be at least 2 in production: when the only member of a group is down, so are its rows",
          remedy: "Use 2",
        });
      }
      const connections = Number(value.parameters["max_connections"]);
      if (connections < coordinatorConnections) {
        problems.push({
          setting: `${section}.parameters.max_connections`,
          value: connections,
          rule: `must not be below the coordinators' (${coordinatorConnections}): each of their sessions may need one here`,
          remedy: `Use ${coordinatorConnections} or more, or lower the coordinators'`,
        });
      }
    }
    return { ...value, group };
  });
  return { value: { groups: resolved, rebalance }, problems };
}
