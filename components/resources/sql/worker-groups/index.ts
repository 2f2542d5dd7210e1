import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { RestArgs } from "../../patroni";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import { WORKER_GROUPS_PROVIDER_VERSION } from "./provider";

/** A worker group of the stack as the registration reaches it. */
export interface WorkerGroupReach {
  readonly group: number;
  /** The names under which its members are known to other nodes. */
  readonly hosts: readonly string[];
  readonly session: SessionArgs;
  readonly rest: RestArgs;
}

/** A worker that somebody else runs, one node without Patroni. */
export interface ExternalWorker {
  readonly group: number;
  readonly host: string;
  readonly port: number;
}

export interface WorkerGroupRegistrationArgs {
  /** A superuser's session on the coordinators, in the distributed database. */
  readonly coordinator: SessionArgs;
  readonly groups: readonly WorkerGroupReach[];
  /** Workers outside the stack, which this adds and removes by itself. Default none. */
  readonly external?: readonly ExternalWorker[];
  /** Spread shards anew when a group comes. */
  readonly rebalance: boolean;
  /** How long the groups may take to be registered, in seconds; moving shards takes as long as it takes. Default 180. */
  readonly deadlineSeconds?: number;
}

/**
 * The worker groups of a Citus cluster, as the coordinator knows them. Patroni registers them; this waits for it, verifies that every
 * node reaches every other one, and moves shards: onto a group that came, in the background, and away from one that is no longer
 * declared, before it is taken out. Its members must be there until then: what deploys them must not depend on this resource, so that
 * they are deleted after it was updated. Interrupted anywhere, the next `up` goes on. A preview asks the database what it would move.
 * Deleting the resource leaves everything as it is.
 *
 * One resource for all groups, not one each: all that leave must be marked before the first is drained, or shards would be moved from
 * one leaving group to the other; and the end of a whole stack must not look like the end of a group.
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
