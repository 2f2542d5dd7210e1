import { mergeParameters } from "../config-files/postgres/parameters";
import type { CitusCoordinator } from "./citus-coordinator";
import { type GroupFacts, type ResolvedPatroniGroup, resolvePatroniGroup } from "./patroni-group-args";
import { ordinaryConnections } from "./connections";
import type { Problem } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import type { Written } from "./settings/setting";
import {
  type EXTERNAL_WORKER_SETTINGS,
  type WORKER_GROUP_SETTINGS,
  WORKER_POOL_SETTINGS,
} from "./worker-pool-settings";

/** A worker group, which holds a part of the shards. */
export interface WorkerGroupArgs extends Written<typeof WORKER_GROUP_SETTINGS> {}

/**
 * An external worker: a PostgreSQL server outside this cluster, with the coordinators' Citus version and a database of the same name. It uses the
 * certificate that the cluster issues to it (`WorkerPool.external`) and lets the nodes' certificates log in as any role. Every node must reach it
 * at this address. Its operator is responsible for failover and backups. For its configuration see docs/runbooks/external-worker.md.
 */
export interface ExternalWorkerArgs extends Written<typeof EXTERNAL_WORKER_SETTINGS> {}

/** Arguments of the worker groups of a distributed database. */
export interface WorkerPoolArgs extends Written<typeof WORKER_POOL_SETTINGS> {
  /** The coordinators that the groups belong to. */
  readonly coordinator: CitusCoordinator;
  /** Reject settings that are only safe for a trial. Default true. */
  readonly production?: boolean;
}

export interface ResolvedWorkerGroup extends ResolvedPatroniGroup {
  readonly group: number;
}

export interface ResolvedWorkerPool {
  readonly groups: readonly ResolvedWorkerGroup[];
  readonly external: readonly Required<ExternalWorkerArgs>[];
  readonly rebalance: boolean;
}

/**
 * How many connections a coordinator opens to a worker: one per session, or more for statements on many shards, up to
 * `citus.max_shared_pool_size` (0: `max_connections`).
 * https://docs.citusdata.com/en/stable/develop/api_guc.html#citus-max-shared-pool-size-integer
 */
function connectionsToWorkers(coordinator: Readonly<Record<string, string | number | boolean>>): number {
  const shared = Number(coordinator["citus.max_shared_pool_size"] ?? 0);
  return Math.max(
    ordinaryConnections(coordinator),
    shared === 0 ? Number(coordinator["max_connections"]) : shared,
  );
}

/** Disabled in a group's configuration before it is removed (components/resources/sql/worker-groups/remove.ts). */
const RECOVERY = "citus.recover_2pc_interval";

/** Connections that members reserve for superusers by default. */
const KEPT = 10;

/** Fills in defaults and reports all problems. `coordinator` is the parameters of the coordinators. */
export function resolveWorkerPool(
  args: Omit<WorkerPoolArgs, "coordinator"> & { readonly scope: string } & Pick<GroupFacts, "guests">,
  coordinator: Readonly<Record<string, string | number | boolean>>,
): { readonly value: ResolvedWorkerPool; readonly problems: readonly Problem[] } {
  const { production = true, scope, guests } = args;
  const own = resolveSettings(WORKER_POOL_SETTINGS, args, "workers");
  const { groups, external, rebalance, ...common } = own.value;
  const problems: Problem[] = [...own.problems];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `workers.${setting}`, value, rule, remedy });
  };
  const wanted = connectionsToWorkers(coordinator);
  const counted = typeof groups === "number";
  const list = counted ? [...Array(groups).keys()].map((i): WorkerGroupArgs => ({ group: i + 1 })) : groups;
  const seen = new Set<number>();
  const resolved = list.map(({ group, ...own }, i): ResolvedWorkerGroup => {
    const section = counted ? "workers" : `workers.groups[${i}]`;
    if (seen.has(group)) {
      problem(
        `groups[${i}].group`,
        group,
        "is the number of two groups",
        "Give each group a different number",
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
    // With a count, all groups have the same settings and the same problems.
    if (!counted || i === 0) {
      problems.push(...result.problems);
      if (value.members === 1 && production) {
        problems.push({
          setting: `${section}.members`,
          value: 1,
          rule: "must be at least 2 in production: while a group's only member is down, its rows are unavailable",
          remedy: "Use 2",
        });
      }
      const recovery = value.parameters[RECOVERY];
      if (String(recovery ?? "").startsWith("-"))
        problems.push({
          setting: `${section}.parameters.${RECOVERY}`,
          value: recovery,
          rule: "disables 2PC recovery, which resolves prepared transactions after a failover; a disabled recovery marks a group that is being removed",
          remedy: "Set a time, such as 10s",
        });
      const connections = Number(value.parameters["max_connections"]);
      const free = ordinaryConnections(value.parameters);
      if (free < wanted) {
        problems.push({
          setting: `${section}.parameters.max_connections`,
          value: connections,
          rule: `leaves ${free} connections for non-superusers, but the coordinators open up to ${wanted}: one per session, or citus.max_shared_pool_size if that is more`,
          remedy: `Use ${connections + wanted - free} or more, or lower max_connections of the coordinators`,
        });
      }
    }
    return { ...value, group };
  });
  external.forEach(({ group }, i) => {
    if (seen.has(group))
      problem(
        `external[${i}].group`,
        group,
        "is the number of two groups",
        "Give each group a different number",
      );
    seen.add(group);
  });
  return { value: { groups: resolved, external, rebalance }, problems };
}
