import * as pulumi from "@pulumi/pulumi";
import {
  bootstrapYml,
  type CitusGroup,
  type DynamicConfiguration,
  dynamicConfiguration,
  patroniSecretsYml,
  patroniYml,
  REST_USER,
} from "../config-files/patroni/patroni";
import { hooksJson } from "../config-files/patroni/guests";
import { sharedMemoryMiB } from "../config-files/postgres/defaults";
import { NODE_COMMON_NAME } from "../config-files/postgres/access";
import { type ClusterCertificates, TLS_DIRECTORY } from "./cluster-certificates";
import {
  type JudgedGroup,
  PatroniBeforehand,
  PatroniConfiguration,
  PatroniLeader,
  PatroniMembership,
  type RestArgs,
} from "./resources/patroni";
import type { Question } from "./resources/patroni/judge-plan";
import type { EtcdCluster } from "./etcd-cluster";
import { type DatabaseContribution, type Gate, guestConnections, type Guests } from "./guests/contribution";
import { hostGuests, type ScrapeTarget, scrapeTargets } from "./guests/host";
import type { ResolvedPatroniGroup } from "./patroni-group-args";
import { PORTS } from "../config-files/ports";
import type { Platform } from "./platforms/platform";
import type { Reach } from "./reach/reach";
import type { SecretRef, WorkloadSpec } from "./platforms/workload";
import { ReplicationCheck } from "./resources/sql/replication-check";
import type { SessionArgs } from "./resources/sql/session-args";

/** How dynamic resources reach a member. */
export interface DatabaseMember {
  readonly name: string;
  /** The name that its certificates carry. */
  readonly serverName: string;
  readonly postgres: Reach;
  readonly rest: Reach;
}

/** What all groups of a cluster share. */
export interface PatroniGroupContext {
  readonly platform: Platform;
  readonly certificates: ClusterCertificates;
  readonly etcd: EtcdCluster;
  /** The superuser's password. */
  readonly superuserPassword: pulumi.Output<string>;
  /** Password of the REST API's user `patroni`. */
  readonly restPassword: pulumi.Output<string>;
  /** The passwords as files for the members: `patroniSecret`. */
  readonly secret: SecretRef;
  /** Guests of the members. Default: none. */
  readonly guests?: Guests<DatabaseContribution>;
}

export interface PatroniGroupArgs extends PatroniGroupContext {
  /** Name of the workload: `patroni`, `coordinator`, `worker-1`. */
  readonly workload: string;
  readonly settings: ResolvedPatroniGroup;
  /** Path of its settings, for messages: `patroni`, `coordinator`, `workers`. */
  readonly section: string;
  /** The application's database and its extensions. */
  readonly application: { readonly database: string; readonly extensions: readonly string[] };
  /** Its place in a Citus cluster. Default: none; the group is a database of its own. */
  readonly citus?: CitusGroup;
  /** Names under which clients reach members through a TLS-passthrough proxy. Default: none. */
  readonly alsoKnownAs?: readonly string[];
  readonly parent: pulumi.Resource;
}

/** The files that members read passwords from, the same for all groups of a cluster. */
export const patroniSecret = (
  name: string,
  passwords: Pick<PatroniGroupContext, "superuserPassword" | "restPassword"> & { readonly etcd: EtcdCluster },
  scope: string,
  platform: Platform,
  parent: pulumi.Resource,
): SecretRef => {
  const { username, user, password } = passwords.etcd.access(scope);
  // In an adopted cluster, members log in as a different user as soon as they read its name, so it must exist in etcd by then.
  const known = platform.owner.before.apply((was) => (was === undefined ? "" : passwords.etcd.ready.urn));
  return platform.secret(
    name,
    {
      "patroni.yml": pulumi
        .all([passwords.restPassword, user, password, known])
        .apply(([restPassword, etcdUsername, etcdPassword]) =>
          patroniSecretsYml({
            restPassword,
            etcdPassword,
            ...(etcdUsername !== username && { etcdUsername }),
          }),
        ),
      // Accepted only from inside a member, where tunnels end, and from the networks of `directFrom`.
      "superuser-password": passwords.superuserPassword,
    },
    { parent },
  );
};

/** Extensions that every database has, so their availability need not be checked. */
const ALWAYS_THERE = ["pg_stat_statements"];

/**
 * The Patroni members of a group as a workload.
 * @param question what PostgreSQL checks, besides the parameters, before the database is created; undefined if everything is default
 */
export function patroniWorkload(
  name: string,
  settings: ResolvedPatroniGroup,
  etcd: { readonly endpoints: readonly string[]; readonly username: string },
  secrets: { readonly tls: SecretRef; readonly patroni: SecretRef },
  dynamic: DynamicConfiguration,
  citus?: CitusGroup,
  question?: Pick<Question, "extensions" | "database" | "librariesBefore">,
  guests: Guests<DatabaseContribution> = [],
): WorkloadSpec {
  const probe = { timeoutSeconds: 5, failureThreshold: 3, startPeriodSeconds: 600 };
  const entered = citus === undefined || citus.number === 0;
  const welcome = guests.flatMap(({ clients: own = [] }) => own.filter(({ of }) => of === "all" || entered));
  const clients = [...new Set(["patroni", ...welcome.map(({ image }) => image)])].sort();
  return {
    name,
    image: "patroni",
    replicas: settings.members,
    env: {
      PATRONI_NAME: "$(REPLICA_NAME)",
      PATRONI_RESTAPI_CONNECT_ADDRESS: `$(REPLICA_ADDRESS):${PORTS.patroniRest}`,
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: `$(REPLICA_ADDRESS):${PORTS.postgres}`,
    },
    configuration: {
      "/etc/patroni": {
        onChange: "replace",
        files: {
          "cluster.yml": patroniYml({ scope: settings.scope, etcd, citus, guests }),
          "hooks.json": hooksJson(guests),
        },
      },
      // Read once, at bootstrap; afterwards PatroniConfiguration changes it in the DCS. So a change must not replace members.
      "/etc/patroni-bootstrap": {
        onChange: "reload",
        files: {
          "bootstrap.yml": bootstrapYml(dynamic, guests),
          ...(question && { "question.json": JSON.stringify(question, undefined, 1) + "\n" }),
        },
      },
    },
    secrets: { [TLS_DIRECTORY]: secrets.tls, "/secrets/patroni": secrets.patroni },
    data: { path: "/var/lib/postgresql", size: settings.volumeSize },
    scratch: ["/tmp", "/run/patroni", "/run/postgresql"],
    ports: {
      postgres: { port: PORTS.postgres, from: clients },
      rest: { port: PORTS.patroniRest, from: clients },
    },
    // The proxies have their own, more frequent checks; these are for the kubelet and for operators. On Docker each check starts a process
    // in the container, and these account for about half of an idle stack's CPU time.
    readiness: { ...probe, command: ["patroni-ready"], intervalSeconds: 10 },
    liveness: { ...probe, command: ["patroni-alive"], intervalSeconds: 10 },
    handover: { command: ["patroni-handover"], timeoutSeconds: 90 },
    // Longer would only matter when all members stop at the same time, and then no member is left to lead. A switchover that was requested
    // by then may take another minute, and the stop after it must not become a kill.
    beforeStop: { command: ["patroni-handover", "--patience", "20"], timeoutSeconds: 80 },
    replacedLast: { command: ["patroni-leader"], timeoutSeconds: 5 },
    resources: {
      memoryMiB: settings.memoryMiB,
      ...(settings.cpuMillis && { cpuMillis: settings.cpuMillis }),
      ...(settings.cpuLimitMillis && { cpuLimitMillis: settings.cpuLimitMillis }),
      sharedMemoryMiB: sharedMemoryMiB(settings.memoryMiB),
    },
    // A shutdown waits for the checkpoint and for replicas to receive all WAL; a kill would turn it into a crash.
    stopGraceSeconds: 60,
  };
}

/**
 * A group of members under Patroni, one of which leads. A PatroniCluster has one, a Citus cluster has several. It is not a
 * resource itself; its resources belong to `parent`.
 */
export class PatroniGroup {
  readonly workload: string;
  /** Its group number in a Citus cluster. */
  readonly number?: number;
  readonly settings: ResolvedPatroniGroup;
  readonly members: readonly DatabaseMember[];
  /** Resolves when a declared member leads: a leaving leader has handed over and no longer needs to be reached. */
  readonly declared: pulumi.Resource;
  /** Resolves when one of the members leads and accepts writes. */
  readonly leader: pulumi.Resource;
  /** Resolves when the leader also runs the declared configuration: its libraries are loaded and administrators can connect. */
  readonly adminAccess: pulumi.Resource;
  /** Resolves when every member runs the declared configuration and is ready. */
  readonly ready: pulumi.Resource;
  /** As in `Deployment`: at first creation before `ready`; after a change, when the replaced members are ready again. */
  readonly started: readonly pulumi.Resource[];
  readonly rest: RestArgs;
  /** Metrics endpoints that guests provide on its members. */
  readonly metrics: readonly ScrapeTarget[];
  /** Conditions that must hold before pools admit clients. */
  readonly gates: readonly Gate[];
  /** How many connections of each member are reserved for guests. */
  readonly guestConnections: number;
  private readonly args: PatroniGroupArgs;

  constructor(
    name: string,
    args: PatroniGroupArgs,
    opts: { readonly dependsOn?: readonly pulumi.Resource[] } = {},
  ) {
    const { platform, certificates, etcd, workload, settings, parent, citus, guests = [] } = args;
    this.args = args;
    this.workload = workload;
    this.number = citus?.number;
    this.settings = settings;
    this.members = [...Array(settings.members).keys()].map((ordinal) => ({
      name: platform.replicaName(workload, ordinal),
      serverName: platform.replicaAddress(workload, ordinal),
      postgres: platform.reachableFromHere(workload, ordinal, PORTS.postgres),
      rest: platform.reachableFromHere(workload, ordinal, PORTS.patroniRest),
    }));
    const { directFrom } = platform;
    const dynamic = dynamicConfiguration({ ...settings, citus, directFrom, guests });
    const configuration = JSON.stringify(dynamic);
    const { database, extensions } = args.application;
    const group: Omit<JudgedGroup, "image"> = {
      ...{ database, extensions, section: args.section },
      librariesBefore: citus === undefined ? [] : ["citus"],
    };
    const ordinary =
      settings.chosen.length === 0 &&
      extensions.every((name) => ALWAYS_THERE.includes(name)) &&
      guests.every(({ parameters, libraries }) => parameters === undefined && libraries === undefined);
    this.rest = {
      members: this.members.map((m) => ({ name: m.name, serverName: m.serverName, reach: m.rest })),
      ca: certificates.authority.certificatePem,
      username: REST_USER,
      password: args.restPassword,
    };
    const dependsOn = [
      ...[etcd.ready, ...(opts.dependsOn ?? [])],
      ...guests.flatMap(({ dependsOn: needed = [] }) => needed),
    ];
    const beforehand = new PatroniBeforehand(
      `${name}-beforehand`,
      { rest: this.rest, configuration, group },
      { parent, dependsOn },
    );
    const membership = new PatroniMembership(
      `${name}-membership`,
      { rest: this.rest, synchronousReplicas: settings.synchronousReplicas },
      { parent, dependsOn: [...dependsOn, beforehand] },
    );
    this.declared = membership;
    const certificate = { replicas: settings.members, alsoKnownAs: args.alsoKnownAs, after: [membership] };
    const tls = certificates.issue(workload, { ...certificate, commonName: NODE_COMMON_NAME }, parent);
    const own = patroniWorkload(
      workload,
      settings,
      etcd.access(settings.scope),
      { tls, patroni: args.secret },
      dynamic,
      citus,
      ordinary ? undefined : { extensions, database, librariesBefore: group.librariesBefore },
      guests,
    );
    const spec = hostGuests(own, guests, { platform, certificates, certificate, parent });
    this.metrics = scrapeTargets(spec, guests, platform);
    this.guestConnections = guestConnections(guests);
    this.gates = guests.flatMap(({ gates = [] }) => gates);
    const deployment = platform.deploy(spec, { parent, dependsOn: [...dependsOn, membership] });
    this.started = deployment.started;
    const { members, ca } = this.rest;
    this.leader = new PatroniLeader(
      `${name}-leader`,
      { rest: { members, ca } },
      { parent, dependsOn: [...this.started] },
    );
    // Before waiting for the members: an unready member may need exactly this change.
    this.adminAccess = new PatroniConfiguration(
      `${name}-configuration`,
      { rest: this.rest, configuration, group: { ...group, image: deployment.image } },
      { parent, dependsOn: [...this.started, this.leader] },
    );
    this.ready = deployment.ready([this.adminAccess]);
  }

  /** A superuser's session; usable once `adminAccess` has resolved. */
  session(database: string): SessionArgs {
    return {
      members: this.members.map((m) => ({ name: m.name, serverName: m.serverName, reach: m.postgres })),
      user: "postgres",
      password: this.args.superuserPassword,
      database,
      ca: this.args.certificates.authority.certificatePem,
      settling: this.args.platform.owner.authorityBefore.apply((pem) =>
        pem === undefined ? undefined : true,
      ),
    };
  }

  /** Verifies on every `up` that the members replicate as declared. */
  proveReplication(name: string, dependsOn: readonly pulumi.Resource[] = []): ReplicationCheck {
    const { members, synchronousReplicas } = this.settings;
    return new ReplicationCheck(
      `${name}-replication`,
      {
        target: this.session("postgres"),
        rest: this.rest,
        members,
        synchronousReplicas: members > 1 ? synchronousReplicas : 0,
        maximumLagBytes: 16 * 1024 * 1024,
      },
      { parent: this.args.parent, dependsOn: [this.ready, ...dependsOn] },
    );
  }
}
