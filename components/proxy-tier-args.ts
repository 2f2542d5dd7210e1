import { isIP } from "node:net";
import type { PooledDatabase } from "./application-database";
import type { ClusterCertificates } from "./cluster-certificates";
import type { Platform } from "./platform/platform";
import type { Problem } from "./problems";
import { CPU_RULE, cpuMillis, SIZE_RULE, sizeMiB } from "./size";

/** The one way in for applications: HAProxy before two fleets of PgBouncer, one for writes and one for reads. */
export interface ProxyTierArgs {
  readonly platform: Platform;
  /** Issues the certificates that clients see. */
  readonly certificates: ClusterCertificates;
  /** The cluster whose leader and replicas are served. */
  readonly database: PooledDatabase;
  /** How many HAProxy, 1 to 9. Default 2. */
  readonly entries?: number;
  /** How many PgBouncer follow the leader, 1 to 9. Default 2. */
  readonly writePools?: number;
  /** How many PgBouncer serve reads from the replicas, 1 to 9. Default 2. */
  readonly readPools?: number;
  /** Server connections of each PgBouncer, for a database and user. Default 20. */
  readonly poolSize?: number;
  /** Client connections that each PgBouncer admits. Default 2000. */
  readonly maxClients?: number;
  /** New connections a second that one client address may open at the entry; more are refused. Default 200. */
  readonly connectionsPerSecond?: number;
  /** A replica that is further behind than this gets no reads; when none is near enough, the leader serves them. Default `16Mi`. */
  readonly maximumLag?: string;
  /**
   * How long an entry or a pool that is stopped on purpose lets the sessions that it has go on, in seconds, 0 to 900; the new ones go to the
   * others. Connections of applications that live shorter (their pools' maximum lifetime) then lose no transaction; a session that does
   * not end is cut off. With no client it stops at once, and so does an only entry or an only pool for writes, which nobody could stand in for.
   * Default 60.
   */
  readonly drainSeconds?: number;
  /** Further names or addresses under which clients reach the entry, such as `db.example.com`: certificates are good for them. Default none. */
  readonly names?: readonly string[];
  /**
   * Cores (`2`, `500m`) that are set aside for each HAProxy and each PgBouncer. It is no limit: one that is throttled would delay every
   * transaction. PgBouncer never uses more than one. Default none.
   */
  readonly cpu?: string | number;
  /** Where clients on this machine reach the first entry; each further one has its ports 10 higher. Docker only. */
  readonly ports?: ProxyPorts;
}

export interface ProxyPorts {
  /** Default 6432. */
  readonly write?: number;
  /** Default 6433. */
  readonly read?: number;
  /** Default 7000. */
  readonly statistics?: number;
}

/** `ProxyTierArgs` with every default filled in. */
export interface ResolvedProxyTier {
  readonly entries: number;
  readonly writePools: number;
  readonly readPools: number;
  readonly poolSize: number;
  readonly maxClients: number;
  readonly connectionsPerSecond: number;
  readonly maximumLagBytes: number;
  readonly drainSeconds: number;
  readonly names: readonly string[];
  readonly cpuMillis?: number;
  readonly ports: Required<ProxyPorts>;
}

export const DEFAULT_ENTRIES = 2;

/** A DNS name, a wildcard in its first label allowed: https://www.rfc-editor.org/rfc/rfc1123#section-2.1 */
const DNS_NAME =
  /^(\*\.)?([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

/** How far apart the ports of two entries are on one host. */
export const ENTRY_PORT_STEP = 10;

/** Fills in defaults and finds everything that is wrong. `maxConnections` is what the database admits. */
export function resolveProxyTier(
  args: Omit<ProxyTierArgs, "platform" | "certificates" | "database">,
  maxConnections: number,
): { readonly value: ResolvedProxyTier; readonly problems: readonly Problem[] } {
  const { entries = DEFAULT_ENTRIES, writePools = 2, readPools = 2, poolSize = 20, maxClients = 2000 } = args;
  const { connectionsPerSecond = 200, maximumLag = "16Mi", drainSeconds = 60, names = [] } = args;
  const ports = { write: 6432, read: 6433, statistics: 7000, ...args.ports };
  const problems: Problem[] = [];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `proxy.${setting}`, value, rule, remedy });
  };
  const within = (setting: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high) {
      problem(setting, value, `must be a whole number from ${low} to ${high}`, `Use a number in that range`);
    }
  };
  within("entries", entries, 1, 9);
  within("writePools", writePools, 1, 9);
  within("readPools", readPools, 1, 9);
  within("poolSize", poolSize, 1, 10_000);
  within("maxClients", maxClients, 1, 100_000);
  within("connectionsPerSecond", connectionsPerSecond, 1, 1_000_000);
  // Docker's provider waits 20 minutes for a container to end, and a node that is emptied waits for its pods.
  within("drainSeconds", drainSeconds, 0, 900);
  const largest = Math.max(writePools, readPools) * poolSize;
  if (largest > maxConnections) {
    problem(
      "poolSize",
      poolSize,
      `times the pools of one fleet (${Math.max(writePools, readPools)}) is ${largest} and would exceed what a database member admits (max_connections less those that are kept for operation: ${maxConnections})`,
      "Lower it, or raise patroni.parameters.max_connections",
    );
  }
  const lagMiB = sizeMiB(maximumLag);
  if (lagMiB === undefined) problem("maximumLag", maximumLag, SIZE_RULE, "Write for instance 16Mi");
  const millis = args.cpu === undefined ? undefined : cpuMillis(args.cpu);
  if (args.cpu !== undefined && millis === undefined)
    problem("cpu", args.cpu, CPU_RULE, "Write for instance 1 or 250m");
  names.forEach((name, i) => {
    if (isIP(name) === 0 && !DNS_NAME.test(name))
      problem(`names[${i}]`, name, "must be a DNS name or an address", "Write for instance db.example.com");
  });
  problems.push(...portProblems(ports, entries));
  return {
    value: {
      entries,
      writePools,
      readPools,
      poolSize,
      maxClients,
      connectionsPerSecond,
      maximumLagBytes: (lagMiB ?? 16) * 1024 * 1024,
      drainSeconds,
      names,
      ...(millis && { cpuMillis: millis }),
      ports,
    },
    problems,
  };
}

function portProblems(ports: Required<ProxyPorts>, entries: number): Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<number, string>();
  for (let entry = 0; entry < entries; entry++) {
    for (const [name, first] of Object.entries<number>({ ...ports })) {
      const port = first + entry * ENTRY_PORT_STEP;
      const setting = `proxy.ports.${name}`;
      if (!Number.isInteger(port) || port < 1024 || port > 65_535) {
        if (entry === 0 || first <= 65_535) {
          problems.push({
            setting,
            value: first,
            rule: `must give every entry a port from 1024 to 65535 (entry ${entry} would get ${port})`,
            remedy: "Use for instance 6432",
          });
        }
        continue;
      }
      const other = taken.get(port);
      if (other !== undefined) {
        problems.push({
          setting,
          value: first,
          rule: `uses port ${port} a second time (for entry ${entry}): ${other} has it, and each entry's ports are ${ENTRY_PORT_STEP} above those of the one before`,
          remedy: "Choose ports that differ in their last digit",
        });
      }
      taken.set(port, `${setting} of entry ${entry}`);
    }
  }
  return problems;
}

/** Connections that the superuser, Patroni, replication checks and exporters need beside the pools. */
const CONNECTIONS_FOR_OPERATION = 10;

/** How many connections of a database member the pools may take. */
export const usableConnections = (parameters: Readonly<Record<string, string | number | boolean>>): number =>
  Number(parameters["max_connections"]) - CONNECTIONS_FOR_OPERATION;
