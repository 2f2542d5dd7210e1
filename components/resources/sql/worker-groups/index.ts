import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { RestArgs } from "../../patroni";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import { WORKER_GROUPS_PROVIDER_VERSION } from "./provider";

/** A worker group of the stack, and how to reach it. */
export interface WorkerGroupReach {
  readonly group: number;
  /** Host names of its members in `pg_dist_node`. */
  readonly hosts: readonly string[];
  readonly session: SessionArgs;
  readonly rest: RestArgs;
}

/** An external worker: one node without Patroni. */
export interface ExternalWorker {
  readonly group: number;
  readonly host: string;
  readonly port: number;
}

export interface WorkerGroupRegistrationArgs {
  /** A superuser's session on the coordinators, in the distributed database. */
  readonly coordinator: SessionArgs;
  readonly groups: readonly WorkerGroupReach[];
  /** Workers outside the stack, which this resource adds and removes itself. Default: none. */
  readonly external?: readonly ExternalWorker[];
  /** Rebalance shards when a group is added. */
  readonly rebalance: boolean;
  /** Seconds that the groups may take to be registered; moving shards has no limit. Default 180. */
  readonly deadlineSeconds?: number;
}

/**
 * The worker groups of a Citus cluster as registered on the coordinator. Patroni registers them. This resource waits for that, verifies that
 * every node reaches every other one, and moves shards: in the background to an added group, and away from a group that is no longer
 * declared, before it is removed. Its members must exist until then, so the resources that deploy them must not depend on this one: then they
 * are deleted after it was updated. If `up` is interrupted, the next one continues. A preview shows what the database would move.
 * Deleting the resource changes nothing in the database.
 *
 * One resource for all groups: all leaving groups must be marked before the first one is drained, or shards would be moved from
 * one leaving group to another; and deleting a whole stack must not look like removing a group.
 */
export class WorkerGroupRegistration extends DynamicResource {
  /** Shards of each group after the last `up`, by its number. */
  declare readonly shards: pulumi.Output<Readonly<Record<string, number>>>;

  constructor(name: string, args: WorkerGroupRegistrationArgs, opts?: pulumi.CustomResourceOptions) {
    const { target, password } = splitPassword(args.coordinator);
    const { ca, ...coordinator } = target;
    super(
      "resources/sql/worker-groups/provider#workerGroupsProvider",
      name,
      {
        coordinator,
        ca,
        password: pulumi.secret(password),
        restPassword: args.groups[0] && pulumi.secret(args.groups[0].rest.password),
        groups: [
          ...args.groups.map(({ group, hosts, session, rest }) => ({
            group,
            hosts,
            session: { members: session.members, user: session.user, database: session.database },
            rest: { members: rest.members, username: rest.username },
          })),
          ...(args.external ?? []).map(({ group, host, port }) => ({
            group,
            hosts: [host],
            externalPort: port,
          })),
        ],
        rebalance: args.rebalance,
        deadlineSeconds: args.deadlineSeconds ?? 180,
        shards: undefined,
        drift: undefined,
        providerVersion: WORKER_GROUPS_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password", "restPassword"] }),
      "sql",
      "WorkerGroupRegistration",
    );
  }
}
