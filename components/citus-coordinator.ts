import * as pulumi from "@pulumi/pulumi";
import { applicationDatabase, DatabasePasswords, type PooledDatabase } from "./application-database";
import { after } from "./resources/ownership";
import {
  DEFAULT_GUESTS,
  type PatroniClusterArgs,
  resolveApplicationDatabase,
  type ResolvedPatroniCluster,
} from "./patroni-cluster-args";
import { PatroniGroup, type PatroniGroupContext, patroniSecret } from "./patroni-group";
import { type GroupFacts, resolvePatroniGroup } from "./patroni-group-args";
import { type Problem, refuse } from "./settings/problems";
import type { ReplicationCheck } from "./resources/sql/replication-check";

/** Arguments of the coordinators of a distributed database, which know where each row is and receive every client query. */
export type CitusCoordinatorArgs = PatroniClusterArgs;

export const COORDINATOR_WORKLOAD = "coordinator";

/** Fills in defaults and reports all problems. */
export function resolveCitusCoordinator(
  args: Omit<CitusCoordinatorArgs, "platform" | "certificates" | "etcd" | "alsoKnownAs">,
): { readonly value: ResolvedPatroniCluster; readonly problems: readonly Problem[] } {
  const database = resolveApplicationDatabase(args);
  const facts: GroupFacts = {
    ...{ citus: "coordinator", database: database.value.database },
    guests: args.guests ?? DEFAULT_GUESTS,
  };
  const group = resolvePatroniGroup(args, "coordinator", facts);
  return {
    value: { ...group.value, ...database.value },
    problems: [...group.problems, ...database.problems],
  };
}

/**
 * Group 0 of a Citus cluster: a leader and its replicas under Patroni. Coordinators plan every statement and send its parts to the worker
 * groups of a `WorkerPool`. After every failover Patroni updates `pg_dist_node` with the new leader of the group.
 *
 * @example
 * const coordinator = new CitusCoordinator("coordinator", { platform, certificates, etcd, scope: "pg-dev" });
 */
export class CitusCoordinator extends pulumi.ComponentResource implements PooledDatabase {
  readonly resolved: ResolvedPatroniCluster;
  readonly group: PatroniGroup;
  readonly database: string;
  readonly ready: pulumi.Resource;
  /** The coordinators as the last `up` saw them: the leader, the members and their state. */
  readonly replication: ReplicationCheck;
  /** Passwords of the cluster's roles and of operators; the same on every node. */
  readonly passwords: DatabasePasswords;
  /** What the worker groups share with the coordinators. */
  readonly context: PatroniGroupContext;

  constructor(name: string, args: CitusCoordinatorArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolveCitusCoordinator(args);
    refuse(`CitusCoordinator ${name}`, problems);
    super("postgres-cluster:index:CitusCoordinator", name, value, after(args.certificates.owned, opts));
    const { platform, certificates, etcd, alsoKnownAs, guests = DEFAULT_GUESTS } = args;

    this.resolved = value;
    this.database = value.database;
    this.passwords = new DatabasePasswords(name, platform.owner, guests, this);
    const passwords = { superuserPassword: this.passwords.superuser, restPassword: this.passwords.rest };
    const secret = patroniSecret("patroni", { ...passwords, etcd }, value.scope, platform, this);
    this.context = { platform, certificates, etcd, secret, guests, ...passwords };
    this.group = new PatroniGroup(name, {
      ...this.context,
      alsoKnownAs,
      workload: COORDINATOR_WORKLOAD,
      section: "coordinator",
      application: value,
      settings: value,
      citus: { number: 0, database: value.database },
      parent: this,
    });
    this.ready = applicationDatabase(name, {
      group: this.group,
      settings: value,
      ...{ passwords: this.passwords, guests },
      from: value.database,
      parent: this,
    });
    this.replication = this.group.proveReplication(name, [this.ready]);
    this.registerOutputs({ members: this.group.members, replication: this.replication.seen });
  }

  password(role: string): pulumi.Output<string> {
    return this.passwords.of(role);
  }
}
