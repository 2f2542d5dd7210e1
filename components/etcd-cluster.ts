import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { etcdEnvironment } from "../config-files/etcd/etcd";
import { type ClusterCertificates, TLS_DIRECTORY } from "./cluster-certificates";
import { EtcdAuthentication, type EtcdAuthenticationArgs, EtcdMembership, EtcdTrust } from "./resources/etcd";
import { after, type ClusterOwner } from "./resources/ownership";
import type { Guests } from "./guests/contribution";
import { hostGuests, type ScrapeTarget, scrapeTargets } from "./guests/host";
import { PORTS } from "../config-files/ports";
import type { Platform } from "./platforms/platform";
import type { SecretRef, WorkloadSpec } from "./platforms/workload";
import { type Problem, refuse } from "./settings/problems";
import { ETCD_SETTINGS } from "./etcd-settings";
import { resolveCpu, type ResolvedCpu } from "./settings/cpu";
import { resolveSettings } from "./settings/resolve";
import type { Resolved, Written } from "./settings/setting";
import { mebibytes } from "./settings/size";

/** Arguments of Patroni's distributed configuration store (DCS): an etcd cluster with TLS and authentication. */
export interface EtcdClusterArgs extends Written<typeof ETCD_SETTINGS> {
  readonly platform: Platform;
  /** Issues the members' certificates. */
  readonly certificates: ClusterCertificates;
  /** Reject settings that are only safe for a trial. Default true. */
  readonly production?: boolean;
  /** The Patroni scopes that use it. Each gets its own user, which can access only the keys below `/service/<scope>/`. */
  readonly scopes: readonly string[];
  /** Guests of the members. Default: none. */
  readonly guests?: Guests;
}

/** How a Patroni scope connects to etcd. */
export interface EtcdAccess {
  /** `host:port` of every member. */
  readonly endpoints: readonly string[];
  /** Name of its user in a cluster that was not adopted. */
  readonly username: string;
  /** Name of its actual user. An adopted cluster has a different one, so that both can log in during the adoption. */
  readonly user: pulumi.Output<string>;
  readonly password: pulumi.Output<string>;
}

/** `EtcdClusterArgs` with defaults filled in and amounts as numbers. */
export interface ResolvedEtcdCluster
  extends ResolvedCpu, Omit<Resolved<typeof ETCD_SETTINGS>, "quota" | "memory" | "cpu" | "cpuLimit"> {
  readonly quotaMiB: number;
  readonly memoryMiB: number;
  readonly scopes: readonly string[];
}

export const ETCD_WORKLOAD = "etcd";
const PASSWORD_DIRECTORY = "/secrets/etcd";

/** Fills in defaults and reports all problems. */
export function resolveEtcdCluster(args: Omit<EtcdClusterArgs, "platform" | "certificates">): {
  readonly value: ResolvedEtcdCluster;
  readonly problems: readonly Problem[];
} {
  const { value, problems: own, sound } = resolveSettings(ETCD_SETTINGS, args, "etcd");
  const problems = [...own];
  const { quota, memory, cpu, cpuLimit, ...settings } = value;
  const { members, volumeSize } = settings;
  if (members === 1 && (args.production ?? true)) {
    problems.push({
      setting: "etcd.members",
      value: members,
      rule: "must be 3 or 5 in production: without its only member, no failover is possible",
      remedy: "Use 3",
    });
  }
  const time = resolveCpu({ cpu, cpuLimit }, "etcd");
  problems.push(...time.problems);
  if (sound("quota", "volumeSize") && mebibytes(quota) * 2 > mebibytes(volumeSize)) {
    problems.push({
      setting: "etcd.quota",
      value: quota,
      rule: `must be at most half of etcd.volumeSize (${volumeSize}): defragmentation writes the database a second time`,
      remedy: "Lower the quota or enlarge the volume",
    });
  }
  return {
    value: {
      ...settings,
      ...time.value,
      quotaMiB: mebibytes(quota),
      memoryMiB: mebibytes(memory),
      scopes: args.scopes,
    },
    problems,
  };
}

/** The etcd members as a workload. */
export function etcdWorkload(
  resolved: ResolvedEtcdCluster,
  platform: Pick<Platform, "replicaName" | "replicaAddress">,
  clusterToken: string,
  secrets: { readonly tls: SecretRef; readonly password: SecretRef },
): WorkloadSpec {
  const ordinals = [...Array(resolved.members).keys()];
  return {
    name: ETCD_WORKLOAD,
    image: "etcd",
    replicas: resolved.members,
    env: etcdEnvironment({
      clusterToken,
      members: ordinals.map((i) => ({
        name: platform.replicaName(ETCD_WORKLOAD, i),
        address: platform.replicaAddress(ETCD_WORKLOAD, i),
      })),
      quotaMiB: resolved.quotaMiB,
    }),
    secrets: { [TLS_DIRECTORY]: secrets.tls, [PASSWORD_DIRECTORY]: secrets.password },
    data: { path: "/var/lib/etcd", size: resolved.volumeSize },
    scratch: ["/tmp"],
    ports: {
      client: { port: PORTS.etcdClient, from: ["etcd", "patroni"] },
      peer: { port: PORTS.etcdPeer, from: ["etcd"] },
    },
    readiness: {
      command: ["etcd-ready"],
      timeoutSeconds: 5,
      intervalSeconds: 10,
      failureThreshold: 3,
      startPeriodSeconds: 60,
    },
    resources: {
      memoryMiB: resolved.memoryMiB,
      ...(resolved.cpuMillis && { cpuMillis: resolved.cpuMillis }),
      ...(resolved.cpuLimitMillis && { cpuLimitMillis: resolved.cpuLimitMillis }),
    },
    stopGraceSeconds: 10,
  };
}

/**
 * An etcd cluster with mutual TLS between members, TLS for clients, authentication, and one user per Patroni scope.
 *
 * @example
 * const etcd = new EtcdCluster("etcd", { platform, certificates, scopes: ["pg-dev"] });
 */
export class EtcdCluster extends pulumi.ComponentResource {
  /** `host:port` of every member, for clients inside the cluster. */
  readonly endpoints: readonly string[];
  /** How dynamic resources reach its members. */
  readonly members: EtcdAuthenticationArgs["members"];
  /** Resolves when a quorum of members serves requests and authentication is enabled. */
  readonly ready: pulumi.Resource;
  /** Metrics endpoints that guests provide on its members. */
  readonly metrics: readonly ScrapeTarget[];
  /** Password of etcd's own `root`, for operators. */
  readonly rootPassword: pulumi.Output<string>;
  private readonly passwords: ReadonlyMap<string, pulumi.Output<string>>;
  private readonly owner: ClusterOwner;

  constructor(name: string, args: EtcdClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolveEtcdCluster(args);
    refuse(`EtcdCluster ${name}`, problems);
    super("postgres-cluster:index:EtcdCluster", name, value, after(args.certificates.owned, opts));
    const { platform, certificates } = args;
    this.owner = platform.owner;
    if (value.members === 1) {
      void pulumi.log.warn(
        "etcd has a single member: while it is down, no failover is possible. Use 3 for anything but a trial.",
        this,
      );
    }
    // Protected: etcd's volumes outlive a `destroy`, and their data cannot be accessed without these passwords.
    const password = (of: string): pulumi.Output<string> =>
      new random.RandomPassword(
        `${name}-${of}`,
        { length: 32, special: false },
        { parent: this, protect: true },
      ).result;

    this.rootPassword = password("root");
    this.passwords = new Map(value.scopes.map((scope) => [scope, password(`scope-${scope}`)]));
    this.members = [...Array(value.members).keys()].map((i) => ({
      name: platform.replicaName(ETCD_WORKLOAD, i),
      serverName: platform.replicaAddress(ETCD_WORKLOAD, i),
      reach: platform.reachableFromHere(ETCD_WORKLOAD, i, PORTS.etcdClient),
    }));
    const ca = certificates.authority.certificatePem;
    const membership = new EtcdMembership(
      `${name}-membership`,
      { members: this.members, ca, rootPassword: this.rootPassword },
      { parent: this },
    );
    const { guests = [] } = args;
    const certificate = { replicas: value.members, after: [membership] };
    const own = etcdWorkload(value, platform, name, {
      tls: certificates.issue(ETCD_WORKLOAD, certificate, this),
      password: platform.secret(
        `${ETCD_WORKLOAD}-root`,
        { "root-password": this.rootPassword },
        { parent: this },
      ),
    });
    const spec = hostGuests(own, guests, { platform, certificates, certificate, parent: this });
    this.metrics = scrapeTargets(spec, guests, platform);
    const members = platform.deploy(spec, { parent: this, dependsOn: [membership] });
    const trust = new EtcdTrust(
      `${name}-trust`,
      {
        members: this.members,
        ca,
        // On Docker, members have just been recreated. A pod stays as it is.
        running: platform.owner.authorityBefore.apply(
          (former) => former !== undefined && platform.kind === "kubernetes",
        ),
      },
      { parent: this, dependsOn: [members.ready()] },
    );
    this.ready = new EtcdAuthentication(
      `${name}-authentication`,
      {
        members: this.members,
        ca,
        rootPassword: this.rootPassword,
        scopes: value.scopes.map((scope) => ({
          user: this.user(scope),
          password: this.scopePassword(scope),
          prefix: `/service/${scope}/`,
        })),
        formerRootPassword: platform.owner.before.apply((was) => was?.etcdRoot),
        // Members switch to the other user when they have read its name, long before an operator continues.
        retired: platform.owner.before.apply((was) =>
          was === undefined || certificates.formerAuthority === "serve"
            ? []
            : value.scopes.map((scope) => was.etcdUser ?? scopeUser(scope)),
        ),
      },
      { parent: this, dependsOn: [trust] },
    );
    this.endpoints = [...Array(value.members).keys()].map(
      (i) => `${platform.replicaAddress(ETCD_WORKLOAD, i)}:${PORTS.etcdClient}`,
    );
    this.registerOutputs({ endpoints: this.endpoints });
  }

  /** How the Patroni scope `scope` connects. Throws if the cluster was not declared with that scope. */
  access(scope: string): EtcdAccess {
    return {
      endpoints: this.endpoints,
      username: scopeUser(scope),
      user: this.user(scope),
      password: this.scopePassword(scope),
    };
  }

  private user(scope: string): pulumi.Output<string> {
    const { before, owner } = this.owner;
    return pulumi.unsecret(
      pulumi
        .all([before, owner])
        .apply(([was, id]) =>
          was === undefined ? scopeUser(scope) : `${scopeUser(scope)}-${id.slice(0, 8)}`,
        ),
    );
  }

  private scopePassword(scope: string): pulumi.Output<string> {
    const password = this.passwords.get(scope);
    if (!password) {
      throw new pulumi.RunError(
        `EtcdCluster has no scope "${scope}" (it has ${[...this.passwords.keys()].join(", ")}): add it to the cluster's scopes.`,
      );
    }
    return password;
  }
}

const scopeUser = (scope: string): string => `patroni-${scope}`;
