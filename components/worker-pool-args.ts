import { mergeParameters } from "../config-files/postgres/parameters";
import type { CitusCoordinator } from "./citus-coordinator";
import {
  type GroupFacts,
  type PatroniGroupSettings,
  type ResolvedPatroniGroup,
  resolvePatroniGroup,
} from "./patroni-group-args";
import { ordinaryConnections } from "./connections";
import { PORTS } from "../config-files/ports";
import type { Problem } from "./settings/problems";

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
/** What `pg_dist_node` can hold. */
const GREATEST_OUTSIDE = 2 ** 31 - 1;
const DEFAULT_GROUPS = 2;
const DEFAULT_MEMBERS = 2;

/**
 * How many connections a coordinator opens to a worker: one for each of its sessions, which every statement may need, and more of them for
 * statements on many shards up to `citus.max_shared_pool_size` (0: `max_connections`).
 * https://docs.citusdata.com/en/stable/develop/api_guc.html#citus-max-shared-pool-size-integer
 */
function connectionsToWorkers(coordinator: Readonly<Record<string, string | number | boolean>>): number {
  const shared = Number(coordinator["citus.max_shared_pool_size"] ?? 0);
  return Math.max(
    ordinaryConnections(coordinator),
    shared === 0 ? Number(coordinator["max_connections"]) : shared,
  );
}

/** Switched off in a group's configuration before it is removed (components/resources/sql/worker-groups/remove.ts). */
const RECOVERY = "citus.recover_2pc_interval";

/** What members keep for superusers, by default. */
const KEPT = 10;

/** Fills in defaults and finds everything that is wrong. `coordinator` are the parameters of the coordinators. */
export function resolveWorkerPool(
  args: Omit<WorkerPoolArgs, "coordinator"> & { readonly scope: string } & Pick<GroupFacts, "guests">,
  coordinator: Readonly<Record<string, string | number | boolean>>,
): { readonly value: ResolvedWorkerPool; readonly problems: readonly Problem[] } {
  const {
    groups = DEFAULT_GROUPS,
    external = [],
    production = true,
    rebalance = true,
    scope,
    guests,
    ...settings
  } = args;
  const common = { ...settings, members: settings.members ?? DEFAULT_MEMBERS };
  const problems: Problem[] = [];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `workers.${setting}`, value, rule, remedy });
  };
  const wanted = connectionsToWorkers(coordinator);
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
    const layered = {
      ...{ ...common, ...own, scope },
      parameters: mergeParameters(common.parameters, own.parameters),
      timing: { ...common.timing, ...own.timing },
    };
    const result = resolvePatroniGroup(layered, section, {
      ...{ citus: "worker", guests },
      leastConnections: Math.max(Number(coordinator["max_connections"]), wanted + KEPT),
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
      const recovery = value.parameters[RECOVERY];
      if (String(recovery ?? "").startsWith("-"))
        problems.push({
          setting: `${section}.parameters.${RECOVERY}`,
          value: recovery,
          rule: "switches off that transactions are settled which a failover left prepared, by which a group is known that is about to be removed",
          remedy: "Give a time, such as 10s",
        });
      const connections = Number(value.parameters["max_connections"]);
      const free = ordinaryConnections(value.parameters);
      if (free < wanted) {
        problems.push({
          setting: `${section}.parameters.max_connections`,
          value: connections,
          rule: `leaves ${free} connections beside those that are kept for superusers, and the coordinators open up to ${wanted}: one for each of their sessions, and citus.max_shared_pool_size`,
          remedy: `Use ${connections + wanted - free} or more, or lower the coordinators'`,
        });
      }
    }
    return { ...value, group };
  });
  const outside = external.map((worker, i): Required<ExternalWorkerArgs> => {
    const { group, host, port = PORTS.postgres, joined = true } = worker;
    const wrong = (setting: string, value: unknown, rule: string, remedy: string): void =>
      problem(`external[${i}].${setting}`, value, rule, remedy);
    if (!Number.isInteger(group) || group < 1 || group > GREATEST_OUTSIDE)
      wrong(
        "group",
        group,
        `must be 1 to ${GREATEST_OUTSIDE}; 0 is the coordinators'`,
        "Use the next free number",
      );
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
