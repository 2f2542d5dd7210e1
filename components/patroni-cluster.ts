import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import {
  bootstrapYml,
  dynamicConfiguration,
  patroniSecretsYml,
  patroniYml,
} from "../config-files/patroni/patroni";
import { TLS_DIRECTORY } from "./cluster-certificates";
import { PatroniConfiguration } from "./patroni";
import {
  type PatroniClusterArgs,
  type ResolvedPatroniCluster,
  resolvePatroniCluster,
} from "./patroni-cluster-args";
import { PORTS } from "./platform/naming";
import type { Platform } from "./platform/platform";
import type { Reach } from "./platform/reach";
import type { SecretRef, WorkloadSpec } from "./platform/workload";
import { refuse } from "./problems";
import { Database } from "./sql/database";
import { ReplicationCheck } from "./sql/replication-check";
import { Roles } from "./sql/roles";

export const PATRONI_WORKLOAD = "patroni";
/** The role that owns the application's database and may change its schema. */
export const OWNER_ROLE = "dpg_cluster";
/** Reads and writes data, changes no schema. */
export const READ_WRITE_ROLE = "app_readwrite";
export const READ_ONLY_ROLE = "app_readonly";
/** The pools log in as it to look up the passwords' verifiers of others; it may do nothing else. */
export const POOL_ROLE = "pool_auth";
/** Common name of the certificates by which members authenticate to each other; pg_ident maps it to their roles. */
const NODE_COMMON_NAME = "cluster-node";
const REST_USER = "patroni";

/** A member as dynamic resources reach it. */
export interface DatabaseMember {
  readonly name: string;
  /** The name that its certificates carry. */
  readonly serverName: string;
  readonly postgres: Reach;
  readonly rest: Reach;
}

/** The Patroni members as a workload. */
export function patroniWorkload(
  resolved: ResolvedPatroniCluster,
  etcd: { readonly endpoints: readonly string[]; readonly username: string },
  secrets: { readonly tls: SecretRef; readonly patroni: SecretRef },
): WorkloadSpec {
  const probe = { timeoutSeconds: 5, failureThreshold: 3, startPeriodSeconds: 600 };
  return {
    name: PATRONI_WORKLOAD,
    image: "patroni",
    replicas: resolved.members,
    env: {
      PATRONI_NAME: "$(REPLICA_NAME)",
      PATRONI_RESTAPI_CONNECT_ADDRESS: `$(REPLICA_ADDRESS):${PORTS.patroniRest}`,
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: `$(REPLICA_ADDRESS):${PORTS.postgres}`,
    },
    configuration: {
      "/etc/patroni": {
        onChange: "replace",
        files: { "cluster.yml": patroniYml({ scope: resolved.scope, etcd }) },
      },
      // Read once, when the cluster is made; afterwards PatroniConfiguration changes it in the DCS. So a change must not replace members.
      "/etc/patroni-bootstrap": {
        onChange: "reload",
        files: { "bootstrap.yml": bootstrapYml(dynamicConfiguration(resolved)) },
      },
    },
    secrets: { [TLS_DIRECTORY]: secrets.tls, "/secrets/patroni": secrets.patroni },
    data: { path: "/var/lib/postgresql", size: resolved.volumeSize },
    scratch: ["/tmp", "/run/patroni", "/run/postgresql"],
    ports: { postgres: { port: PORTS.postgres }, rest: { port: PORTS.patroniRest } },
    readiness: { ...probe, command: ["patroni-ready"], intervalSeconds: 5 },
    liveness: { ...probe, command: ["patroni-alive"], intervalSeconds: 10 },
    handover: { command: ["patroni-handover"], timeoutSeconds: 90 },
    replacedLast: { command: ["patroni-leader"], timeoutSeconds: 5 },
    resources: {
      memoryMiB: resolved.memoryMiB,
      sharedMemoryMiB: Math.max(64, Math.floor(resolved.memoryMiB / 4)),
    },
    // A stop waits for the checkpoint and for a replica to have everything; a kill would make it a crash.
    stopGraceSeconds: 60,
  };
}

/**
 * A replicated PostgreSQL under Patroni: quorum synchronous replication, automatic failover, TLS on every connection, the
 * application's database with its roles, and a proof after every `up` that replication is as declared.
 *
 * @example
 * const database = new PatroniCluster("patroni", { platform, certificates, etcd, scope: "pg-dev", members: 3 });
 */
export class PatroniCluster extends pulumi.ComponentResource {
  readonly resolved: ResolvedPatroniCluster;
  readonly members: readonly DatabaseMember[];
  /** Resolves when the database and its roles are there. */
  readonly ready: pulumi.Resource;
  /** What the last `up` saw: leader, members, their state. */
  readonly replication: ReplicationCheck;
  /** Passwords by role, of the superuser `postgres` too. */
  readonly passwords: Readonly<Record<string, pulumi.Output<string>>>;
  /** Password of the REST API's user `patroni`, for operators. */
  readonly restPassword: pulumi.Output<string>;

  constructor(name: string, args: PatroniClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolvePatroniCluster(args);
    refuse(`PatroniCluster ${name}`, problems);
    super("postgres-cluster:index:PatroniCluster", name, value, opts);
    const { platform, certificates, etcd } = args;
    const ca = certificates.authority.certificatePem;
    // Protected: the data volumes outlive a `destroy`, and the passwords in them must stay known.
    const password = (of: string): pulumi.Output<string> =>
      new random.RandomPassword(
        `${name}-${of}`,
        { length: 32, special: false },
        { parent: this, protect: true },
      ).result;

    this.resolved = value;
    this.members = [...Array(value.members).keys()].map((ordinal) => member(platform, ordinal));
    this.restPassword = password("rest-api");
    this.passwords = Object.fromEntries(
      ["postgres", OWNER_ROLE, READ_WRITE_ROLE, READ_ONLY_ROLE, POOL_ROLE].map((role) => [
        role,
        password(role),
      ]),
    );
    const access = etcd.access(value.scope);
    const secrets = pulumi.all([this.restPassword, access.password]);
    const spec = patroniWorkload(value, access, {
      tls: certificates.issue(
        PATRONI_WORKLOAD,
        { replicas: value.members, commonName: NODE_COMMON_NAME, alsoKnownAs: args.alsoKnownAs },
        this,
      ),
      patroni: platform.secret(
        PATRONI_WORKLOAD,
        {
          "patroni.yml": secrets.apply(([restPassword, etcdPassword]) =>
            patroniSecretsYml({ restUsername: REST_USER, restPassword, etcdPassword }),
          ),
          // Good only from inside a member, where tunnels arrive.
          "superuser-password": this.superuserPassword,
        },
        { parent: this },
      ),
    });
    const members = platform.deploy(spec, { parent: this, dependsOn: [etcd.ready] });

    const rest = {
      members: this.members.map((m) => ({ name: m.name, serverName: m.serverName, reach: m.rest })),
      ca,
      username: REST_USER,
      password: this.restPassword,
    };
    const configuration = new PatroniConfiguration(
      `${name}-configuration`,
      { rest, configuration: JSON.stringify(dynamicConfiguration(value)) },
      { parent: this, dependsOn: [members.ready] },
    );
    const target = {
      members: this.members.map((m) => ({ name: m.name, serverName: m.serverName, reach: m.postgres })),
      user: "postgres",
      password: this.superuserPassword,
      database: "postgres",
      ca,
    };
    const roles = new Roles(
      `${name}-roles`,
      {
        target,
        roles: [OWNER_ROLE, READ_WRITE_ROLE, READ_ONLY_ROLE, POOL_ROLE].map((role) => ({
          name: role,
          password: this.password(role),
        })),
      },
      { parent: this, dependsOn: [members.ready] },
    );
    this.ready = new Database(
      `${name}-database`,
      {
        target,
        name: value.database,
        owner: OWNER_ROLE,
        extensions: value.extensions,
        access: { readWrite: [READ_WRITE_ROLE], readOnly: [READ_ONLY_ROLE] },
        poolRole: POOL_ROLE,
      },
      { parent: this, dependsOn: [roles] },
    );
    this.replication = new ReplicationCheck(
      `${name}-replication`,
      {
        target,
        rest,
        members: value.members,
        synchronousReplicas: value.members > 1 ? value.synchronousReplicas : 0,
        maximumLagBytes: 16 * 1024 * 1024,
      },
      { parent: this, dependsOn: [configuration, this.ready] },
    );
    this.registerOutputs({ members: this.members, replication: this.replication.seen });
  }

  /** The password of a role that this cluster made. */
  password(role: string): pulumi.Output<string> {
    const password = this.passwords[role];
    if (!password)
      throw new pulumi.RunError(
        `PatroniCluster has no role "${role}": it has ${Object.keys(this.passwords).join(", ")}.`,
      );
    return password;
  }

  private get superuserPassword(): pulumi.Output<string> {
    return this.password("postgres");
  }
}

const member = (platform: Platform, ordinal: number): DatabaseMember => ({
  name: platform.replicaName(PATRONI_WORKLOAD, ordinal),
  serverName: platform.replicaAddress(PATRONI_WORKLOAD, ordinal),
  postgres: platform.reachableFromHere(PATRONI_WORKLOAD, ordinal, PORTS.postgres),
  rest: platform.reachableFromHere(PATRONI_WORKLOAD, ordinal, PORTS.patroniRest),
});
