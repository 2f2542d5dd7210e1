import type { CitusCoordinator } from "./citus-coordinator";
import {
  type PatroniGroupSettings,
  type ResolvedPatroniGroup,
  resolvePatroniGroup,
} from "./patroni-group-args";
import { PORTS } from "./platform/naming";
import type { Problem } from "./problems";

/** One worker group, which holds a part of the shards. */
export interface WorkerGroupArgs extends PatroniGroupSettings {
  /** 1 and upwards. A group keeps its number for ever, and the number of one that was removed is not used again. */
  readonly group: number;
}

/**
 * A worker that somebody else runs: one PostgreSQL with Citus of the coordinators' version, in a database of the same name. It has the
 * certificate that the cluster issues to it (`WorkerPool.external`), admits those of the nodes as any role, and is reached by every node
 * under this address; failover and backup are not ours. docs/runbooks/external-worker.md has its configuration.
 */
export interface ExternalWorkerArgs {
  /** 1 and upwards, different from those of `groups`. */
  readonly group: number;
  /** The name or address under which every node reaches it; its certificate must bear it. */
  readonly host: string;
  /** Default 5432. */
  readonly port?: number;
  /** Add it to the cluster. Default true. With false it only gets its certificate, so that it can be set up first. */
  readonly joined?: boolean;
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
  /** Workers outside this program. They are added, drained and removed as groups are. Default none. */
  readonly external?: readonly ExternalWorkerArgs[];
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
  readonly external: readonly Required<ExternalWorkerArgs>[];
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
  const {
    groups = DEFAULT_GROUPS,
    external = [],
    production = true,
    rebalance = true,
    scope,
    ...settings
  } = args;
  const common = { ...settings, members: settings.members ?? DEFAULT_MEMBERS };
  const problems: Problem[] = [];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `workers.${setting}`, value, rule, remedy });
  };
  const counted = typeof groups === "number";
  if (counted && (!Number.isInteger(groups) || groups < 1 || groups > GREATEST_GROUP)) {
    problem("groups", groups, `must be 1 to ${GREATEST_GROUP}: shards lie on worker groups`, "Use 2");
    return { value: { groups: [], external: [], rebalance }, problems };
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
  const outside = external.map((worker, i): Required<ExternalWorkerArgs> => {
    const { group, host, port = PORTS.postgres, joined = true } = worker;
    const wrong = (setting: string, value: unknown, rule: string, remedy: string): void =>
      problem(`external[${i}].${setting}`, value, rule, remedy);
    if (!Number.isInteger(group) || group < 1)
      wrong("group", group, "must be 1 or more; 0 is the coordinators'", "Use the next free number");
    if (seen.has(group))
      wrong("group", group, "is the number of two groups", "Give each group a number of its own");
    seen.add(group);
    if (!/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(host))
      wrong("host", host, "must be a DNS name or an address", "Write for instance db7.example.com");
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      wrong("port", port, "must be 1 to 65535", `Use ${PORTS.postgres}`);
    return { group, host, port, joined };
  });
  return { value: { groups: resolved, external: outside, rebalance }, problems };
}
