import * as pulumi from "@pulumi/pulumi";
import { haproxyCfg } from "../config-files/haproxy/haproxy";
import { followerJson, pgbouncerIni, userlist } from "../config-files/pgbouncer/pgbouncer";
import type { PoolMode } from "../config-files/pgbouncer/settings";
import { POOL_ROLE } from "./application-database";
import { TLS_DIRECTORY, type WorkloadCertificateArgs } from "./cluster-certificates";
import type { Gate, Guests } from "./guests/contribution";
import { hostGuests, type ScrapeTarget, scrapeTargets } from "./guests/host";
import { PORTS } from "../config-files/ports";
import { after } from "./resources/ownership";
import type { Platform } from "./platforms/platform";
import type { Probe, SecretRef, WorkloadSpec } from "./platforms/workload";
import { PROXY_SETTINGS } from "./proxy-settings";
import { refuse } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import {
  ENTRY_PORT_STEP,
  entryConnections,
  type ProxyTierArgs,
  type ResolvedProxyTier,
  resolveProxyTier,
} from "./proxy-tier-args";

export const ENTRY_WORKLOAD = "haproxy";
export const WRITE_POOL_WORKLOAD = "pool-write";
export const READ_POOL_WORKLOAD = "pool-read";

type Addresses = Pick<Platform, "replicaName" | "replicaAddress">;

const replicasOf = (platform: Addresses, workload: string, replicas: number) =>
  [...Array(replicas).keys()].map((ordinal) => ({
    name: platform.replicaName(workload, ordinal),
    address: platform.replicaAddress(workload, ordinal),
  }));

const probe = (command: string): Probe => ({
  command: [command],
  timeoutSeconds: 5,
  intervalSeconds: 5,
  failureThreshold: 3,
  startPeriodSeconds: 60,
});

const resources = (memoryMiB: number, { cpuMillis }: ResolvedProxyTier): WorkloadSpec["resources"] => ({
  memoryMiB,
  ...(cpuMillis && { cpuMillis }),
});

/** How long a stopping member drains its sessions, and its grace period: `seconds` more than that. */
const draining = (drainSeconds: number, seconds: number) => ({
  env: { DRAIN_SECONDS: String(drainSeconds) },
  stopGraceSeconds: drainSeconds + seconds,
});

/** The names under which clients reach the entry. It passes TLS through, so the servers behind it need certificates with these names. */
export function entryNames(
  platform: Addresses & Pick<Platform, "serviceAddress" | "exposedNames">,
  settings: Pick<ProxyTierArgs, "entries" | "names"> = {},
): readonly string[] {
  const { entries, names } = resolveSettings(PROXY_SETTINGS, settings, "proxy").value;
  return [
    ...names,
    platform.serviceAddress(ENTRY_WORKLOAD),
    ...platform.exposedNames(ENTRY_WORKLOAD),
    ...replicasOf(platform, ENTRY_WORKLOAD, entries).flatMap(({ name, address }) => [name, address]),
  ];
}

/** The database members behind the entry: their workload and their number. */
export interface ServedMembers {
  readonly workload: string;
  readonly members: number;
}

/** The HAProxy members as a workload. */
export function entryWorkload(
  resolved: ResolvedProxyTier,
  served: ServedMembers,
  platform: Addresses,
  secrets: { readonly tls: SecretRef },
): WorkloadSpec {
  const { write, read, directWrite, directRead, statistics } = PORTS;
  return {
    name: ENTRY_WORKLOAD,
    image: "haproxy",
    replicas: resolved.entries,
    configuration: {
      "/etc/haproxy": {
        onChange: "reload",
        files: {
          "haproxy.cfg": haproxyCfg({
            ports: { write, read, directWrite, directRead, statistics },
            serverPorts: {
              pool: PORTS.pool,
              poolAgent: PORTS.poolAgent,
              postgres: PORTS.postgres,
              patroniRest: PORTS.patroniRest,
            },
            writePools: replicasOf(platform, WRITE_POOL_WORKLOAD, resolved.writePools),
            readPools: replicasOf(platform, READ_POOL_WORKLOAD, resolved.readPools),
            members: replicasOf(platform, served.workload, served.members),
            maximumReplicaLagBytes: resolved.maximumLagBytes,
            settings: {
              maxConnections: entryConnections(resolved),
              maxConnectionsPerPool: resolved.maxClients,
              maxDirectConnections: resolved.directSessions,
              maxConnectionRatePerSource: resolved.connectionsPerSecond * 10,
            },
          }),
        },
      },
    },
    secrets: { [TLS_DIRECTORY]: secrets.tls },
    scratch: ["/tmp", "/run/haproxy"],
    ports: {
      write: { port: write, from: "anybody" },
      read: { port: read, from: "anybody" },
      "direct-write": { port: directWrite, from: "anybody" },
      "direct-read": { port: directRead, from: "anybody" },
      statistics: { port: statistics, from: "anybody" },
    },
    readiness: probe("haproxy-ready"),
    resources: resources(resolved.entryMemoryMiB, resolved),
    // A single entry has no substitute: the sooner it is back, the better.
    ...draining(resolved.entries > 1 ? resolved.drainSeconds : 0, 15),
    exposed: { hostPorts: { ...resolved.ports }, replicaStep: ENTRY_PORT_STEP },
  };
}

/** A PgBouncer fleet as a workload: for writes it follows the leader, for reads the replicas. */
export function poolWorkload(
  mode: PoolMode,
  resolved: ResolvedProxyTier,
  database: ServedMembers & { readonly name: string; readonly gates?: readonly Gate[] },
  platform: Addresses,
  secrets: { readonly tls: SecretRef; readonly pool: SecretRef },
): WorkloadSpec {
  const name = mode === "primary" ? WRITE_POOL_WORKLOAD : READ_POOL_WORKLOAD;
  const replicas = mode === "primary" ? resolved.writePools : resolved.readPools;
  const lookup = { user: POOL_ROLE, database: database.name };
  return {
    name,
    image: "pgbouncer",
    replicas,
    configuration: {
      "/etc/pgbouncer": {
        onChange: "reload",
        files: {
          "pgbouncer.ini": pgbouncerIni({
            mode,
            port: PORTS.pool,
            lookup,
            replicas: replicasOf(platform, name, replicas),
            resetSessions: resolved.resetSessions,
            sizes: resolved,
          }),
          "follower.json": followerJson({
            mode,
            members: replicasOf(platform, database.workload, database.members),
            patroniPort: PORTS.patroniRest,
            postgresPort: PORTS.postgres,
            agentPort: PORTS.poolAgent,
            lookup,
            gates: database.gates,
            maximumReplicaLagBytes: resolved.maximumLagBytes,
          }),
        },
      },
    },
    secrets: { [TLS_DIRECTORY]: secrets.tls, "/secrets/pgbouncer": secrets.pool },
    scratch: ["/tmp", "/run/pgbouncer"],
    // A cancel request may reach another pool of the fleet, which forwards it.
    ports: {
      postgres: { port: PORTS.pool, from: ["haproxy", "pgbouncer"] },
      agent: { port: PORTS.poolAgent, from: ["haproxy"] },
    },
    readiness: probe("pool-ready"),
    resources: resources(resolved.poolMemoryMiB, resolved),
    // Write pools can replace read pools. After the drain, running transactions may finish.
    ...draining(mode === "replica" || replicas > 1 ? resolved.drainSeconds : 0, 30),
  };
}

/**
 * The entry point for applications: HAProxy in front of PgBouncer in transaction mode, which follows the leader (writes) and the replicas
 * (reads). A member that a failover demotes gets no new sessions, and a planned switchover fails no transaction.
 *
 * @example
 * const proxy = new ProxyTier("proxy", { platform, certificates, database });
 */
export class ProxyTier extends pulumi.ComponentResource {
  readonly resolved: ResolvedProxyTier;
  /** `host:port` of every entry, by purpose. */
  readonly endpoints: Readonly<Record<"write" | "read" | "statistics", pulumi.Output<readonly string[]>>>;
  /** Metrics endpoints that guests provide on its members. */
  readonly metrics: readonly ScrapeTarget[];
  /** Resolves when every entry and every pool serves clients. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: ProxyTierArgs, opts?: pulumi.ComponentResourceOptions) {
    const { platform, certificates, database } = args;
    const { value, problems } = resolveProxyTier(args, {
      parameters: database.group.settings.parameters,
      ofGuests: database.group.guestConnections,
    });
    refuse(`ProxyTier ${name}`, problems);
    super("postgres-cluster:index:ProxyTier", name, value, after(args.certificates.owned, opts));

    const password = database.password(POOL_ROLE);
    const pool = platform.secret(
      "pool",
      {
        "userlist.txt": password.apply((text) => userlist([{ name: POOL_ROLE, password: text }])),
        // The session of the follower on the leader.
        "pool_auth-password": password,
      },
      { parent: this },
    );
    const alsoKnownAs = entryNames(platform, value);
    const { workload, members } = database.group;
    const served = { name: database.database, workload, members: members.length };
    const { entry: ofEntry = [], pools: ofPools = [] } = args.guests ?? {};
    const metrics: ScrapeTarget[] = [];
    const hosted = (
      spec: WorkloadSpec,
      guests: Guests,
      certificate: Omit<WorkloadCertificateArgs, "commonName">,
    ): WorkloadSpec => {
      const whole = hostGuests(spec, guests, { platform, certificates, certificate, parent: this });
      metrics.push(...scrapeTargets(whole, guests, platform));
      return whole;
    };
    const deployPool = (mode: PoolMode, name: string, replicas: number): pulumi.Resource => {
      const certificate = { replicas, alsoKnownAs };
      const tls = certificates.issue(name, certificate, this);
      const spec = poolWorkload(mode, value, { ...served, gates: database.group.gates }, platform, {
        tls,
        pool,
      });
      return platform
        .deploy(
          hosted(spec, ofPools, certificate),
          // The lookup function and its role must exist, or the first clients are rejected.
          { parent: this, dependsOn: [database.ready], configuredAfter: [database.group.declared] },
        )
        .ready();
    };
    const pools = [
      deployPool("primary", WRITE_POOL_WORKLOAD, value.writePools),
      deployPool("replica", READ_POOL_WORKLOAD, value.readPools),
    ];
    const certificate = { replicas: value.entries };
    const tls = certificates.issue(ENTRY_WORKLOAD, certificate, this);
    const entry = hosted(entryWorkload(value, served, platform, { tls }), ofEntry, certificate);
    const entries = platform
      .deploy(entry, { parent: this, configuredAfter: [database.group.declared] })
      .ready(pools);

    this.resolved = value;
    this.metrics = metrics;
    this.ready = [entries, ...pools];
    // Endpoints are published only when everything behind them serves clients.
    const allServe = pulumi.all(this.ready.map((resource) => resource.urn));
    const announce = (port: string) =>
      pulumi.all([platform.exposedAddresses(entry, port), allServe]).apply(([addresses]) => addresses);
    this.endpoints = { write: announce("write"), read: announce("read"), statistics: announce("statistics") };
    this.registerOutputs({ endpoints: this.endpoints });
  }
}
