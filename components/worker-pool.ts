import * as pulumi from "@pulumi/pulumi";
import { NODE_COMMON_NAME } from "../config-files/postgres/access";
import type { CitusCoordinator } from "./citus-coordinator";
import type { TlsFiles } from "./cluster-certificates";
import { EtcdKeys } from "./resources/etcd/keys";
import { after } from "./resources/ownership";
import { PatroniGroup } from "./patroni-group";
import { refuse } from "./settings/problems";
import { ClusterCheck } from "./resources/sql/cluster-check";
import type { ReplicationCheck } from "./resources/sql/replication-check";
import { WorkerGroupRegistration } from "./resources/sql/worker-groups";
import {
  type ResolvedWorkerGroup,
  type ResolvedWorkerPool,
  resolveWorkerPool,
  type WorkerPoolArgs,
} from "./worker-pool-args";

export const workerWorkload = (group: number): string => `worker-${group}`;

/**
 * The worker groups of a Citus cluster, each a leader and its replicas under Patroni. Adding a group rebalances the shards in the
 * background. Removing a group first moves its shards away; its volumes are kept. Clients are not interrupted.
 *
 * @example
 * const workers = new WorkerPool("workers", { coordinator, groups: 4 });
 */
export class WorkerPool extends pulumi.ComponentResource {
  readonly resolved: ResolvedWorkerPool;
  readonly groups: readonly PatroniGroup[];
  readonly registration: WorkerGroupRegistration;
  /** Each group's replication as the last `up` saw it. */
  readonly replication: readonly ReplicationCheck[];
  /** Certificate files to install on external workers, by group. Without those that an issuer provides. */
  readonly external: Readonly<Record<number, TlsFiles>>;
  /** Verifies that the nodes, including the coordinators, are as declared. */
  readonly nodes: ClusterCheck;

  constructor(name: string, args: WorkerPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    const { coordinator, ...settings } = args;
    const { scope, parameters } = coordinator.resolved;
    const { value, problems } = resolveWorkerPool(
      { ...settings, scope, guests: coordinator.context.guests },
      parameters,
    );
    refuse(`WorkerPool ${name}`, problems);
    super(
      "postgres-cluster:index:WorkerPool",
      name,
      value,
      after(coordinator.context.certificates.owned, opts),
    );

    this.resolved = value;
    this.groups = value.groups.map((group) => this.group(`${name}-${group.group}`, group, coordinator));
    this.replication = this.groups.map((group, i) =>
      group.proveReplication(`${name}-${value.groups[i]?.group ?? i}`),
    );
    const { certificates } = coordinator.context;
    this.external = Object.fromEntries(
      value.external.flatMap(({ group, host }) => {
        const files = certificates.issueOutside(workerWorkload(group), host, NODE_COMMON_NAME, this);
        return files === undefined ? [] : [[group, files]];
      }),
    );
    const joined = value.external.filter((worker) => worker.joined);
    this.registration = new WorkerGroupRegistration(
      `${name}-registration`,
      {
        coordinator: coordinator.group.session(coordinator.database),
        groups: this.groups.map((group) => ({
          group: group.number ?? 0,
          hosts: group.members.map((member) => member.serverName),
          session: group.session(coordinator.database),
          rest: group.rest,
        })),
        external: joined,
        rebalance: value.rebalance,
      },
      { parent: this, dependsOn: [coordinator.ready, ...this.groups.map((group) => group.ready)] },
    );
    this.nodes = new ClusterCheck(
      `${name}-nodes`,
      {
        coordinator: coordinator.group.session(coordinator.database),
        groups: [
          ...[coordinator.group, ...this.groups].map((group) => ({
            group: group.number ?? 0,
            members: group.rest.members,
          })),
          ...joined.map(({ group, host }) => ({ group, members: [], external: host })),
        ],
      },
      { parent: this, dependsOn: [this.registration, coordinator.group.ready] },
    );
    this.registerOutputs({ shards: this.registration.shards });
  }

  private group(name: string, settings: ResolvedWorkerGroup, coordinator: CitusCoordinator): PatroniGroup {
    const { etcd, certificates } = coordinator.context;
    const { user, password } = etcd.access(settings.scope);
    // Deleted after the members, which would write them again. When the whole cluster is deleted they stay, like the volumes.
    const keys = new EtcdKeys(
      `${name}-keys`,
      {
        members: etcd.members,
        ca: certificates.authority.certificatePem,
        user,
        password,
        prefix: `/service/${settings.scope}/${settings.group}/`,
      },
      { parent: this, dependsOn: [etcd.ready], deletedWith: etcd.ready },
    );
    return new PatroniGroup(
      name,
      {
        ...coordinator.context,
        workload: workerWorkload(settings.group),
        section: "workers",
        application: coordinator.resolved,
        settings,
        citus: { number: settings.group, database: coordinator.database },
        parent: this,
      },
      // A switchover of a worker's leader needs the coordinators' leader, so coordinators and workers change, and stop, one after the other.
      { dependsOn: [keys, ...coordinator.group.started] },
    );
  }
}
