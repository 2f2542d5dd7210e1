import * as pulumi from "@pulumi/pulumi";
import { applicationDatabase, DatabasePasswords, type PooledDatabase } from "./application-database";
import { after } from "./resources/ownership";
import {
  DEFAULT_GUESTS,
  type PatroniClusterArgs,
  type ResolvedPatroniCluster,
  resolvePatroniCluster,
} from "./patroni-cluster-args";
import { PatroniGroup, patroniSecret } from "./patroni-group";
import { refuse } from "./settings/problems";
import type { ReplicationCheck } from "./resources/sql/replication-check";

export const PATRONI_WORKLOAD = "patroni";

/**
 * A replicated PostgreSQL under Patroni: quorum synchronous replication, automatic failover, TLS on every connection, and the
 * application's database with its roles. Every `up` verifies that replication is as declared.
 *
 * @example
 * const database = new PatroniCluster("patroni", { platform, certificates, etcd, scope: "pg-dev", members: 3 });
 */
export class PatroniCluster extends pulumi.ComponentResource implements PooledDatabase {
  readonly resolved: ResolvedPatroniCluster;
  readonly group: PatroniGroup;
  readonly database: string;
  readonly ready: pulumi.Resource;
  /** The cluster as the last `up` saw it: the leader, the members and their state. */
  readonly replication: ReplicationCheck;
  /** Passwords of its roles and of operators. */
  readonly passwords: DatabasePasswords;

  constructor(name: string, args: PatroniClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolvePatroniCluster(args);
    refuse(`PatroniCluster ${name}`, problems);
    super("postgres-cluster:index:PatroniCluster", name, value, after(args.certificates.owned, opts));
    const { platform, certificates, etcd, alsoKnownAs, guests = DEFAULT_GUESTS } = args;

    this.resolved = value;
    this.database = value.database;
    this.passwords = new DatabasePasswords(name, platform.owner, guests, this);
    const passwords = { superuserPassword: this.passwords.superuser, restPassword: this.passwords.rest };
    this.group = new PatroniGroup(name, {
      ...{ platform, certificates, etcd, alsoKnownAs, guests, ...passwords },
      secret: patroniSecret(PATRONI_WORKLOAD, { ...passwords, etcd }, value.scope, platform, this),
      workload: PATRONI_WORKLOAD,
      section: "patroni",
      application: value,
      settings: value,
      parent: this,
    });
    this.ready = applicationDatabase(name, {
      group: this.group,
      settings: value,
      ...{ passwords: this.passwords, guests },
      from: "postgres",
      parent: this,
    });
    this.replication = this.group.proveReplication(name, [this.ready]);
    this.registerOutputs({ members: this.group.members, replication: this.replication.seen });
  }

  password(role: string): pulumi.Output<string> {
    return this.passwords.of(role);
  }
}
