import type { Guests } from "./guests/contribution";
import { isIP } from "node:net";
import type { PooledDatabase } from "./application-database";
import type { ClusterCertificates } from "./cluster-certificates";
import { connectionsFor, shareConnections } from "./connections";
import type { Platform } from "./platforms/platform";
import type { Problem } from "./settings/problems";
import { type ProxyMemory, resolveProxyMemory } from "./proxy-memory";
import { cpuMillis, cpuProblems, resolveSize, type SizeRange } from "./size";

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
  /**
   * Server connections of each PgBouncer, for a database and user; all users of a database together get up to twice that. Default 20, or
   * what the members' `max_connections` leaves for each pool if that is less: see connections.ts.
   */
  readonly poolSize?: number;
  /** How many databases applications use through the pools; each has an equal share of the members' connections. Default 1. */
  readonly databases?: number;
  /** Sessions past the pools (ports 5432 and 5433) that each entry opens to a member. Default: a tenth of the member's connections, for all entries. */
  readonly directSessions?: number;
  /**
   * Whether the pools undo after each transaction what it left in the session: settings, roles, temporary tables, locks, cursors and channels
   * of the session. Default true. False is faster, and lets all of them reach whoever has the connection next.
   */
  readonly resetSessions?: boolean;
  /** Client connections that each PgBouncer admits. Default 2000. */
  readonly maxClients?: number;
  /**
   * Memory limit of each HAProxy and each PgBouncer. Default: what as many clients as `maxClients` admits may need, at least `256Mi`; a
   * PgBouncer keeps 64 KiB for each.
   */
  readonly memory?: string;
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
  /** What else needs something of the entries or of the pools. Default none. */
  readonly guests?: { readonly entry?: Guests; readonly pools?: Guests };
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
export interface ResolvedProxyTier extends ProxyMemory {
  readonly entries: number;
  readonly writePools: number;
  readonly readPools: number;
  readonly poolSize: number;
  /** The most server connections of a pool for each database, of all users. */
  readonly perDatabase: number;
  readonly directSessions: number;
  readonly resetSessions: boolean;
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

const LAG: SizeRange = {
  ...{ greatest: 1024 * 1024, why: "such a replica would serve reads of long ago", example: "16Mi" },
};

/** How far apart the ports of two entries are on one host. */
export const ENTRY_PORT_STEP = 10;

/** What members run with, and the setting that says how many connections they admit, for messages. */
export interface MemberConnections {
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Default `patroni.parameters.max_connections`. */
  readonly setting?: string;
  /** What guests of the database have of them for themselves. Default 0. */
  readonly ofGuests?: number;
}

/** Client connections that an entry takes: as many as one fleet does, and never so few that checks and people find no room. */
export const entryConnections = ({
  maxClients,
  writePools,
  readPools,
}: Pick<ResolvedProxyTier, "maxClients" | "writePools" | "readPools">): number =>
  Math.max(100, maxClients * Math.max(writePools, readPools));

/** Fills in defaults and finds everything that is wrong. */
export function resolveProxyTier(
  args: Omit<ProxyTierArgs, "platform" | "certificates" | "database">,
  members: MemberConnections,
): { readonly value: ResolvedProxyTier; readonly problems: readonly Problem[] } {
  const { entries = DEFAULT_ENTRIES, writePools = 2, readPools = 2, maxClients = 2000 } = args;
  const { resetSessions = true } = args;
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
  within("poolSize", args.poolSize ?? 1, 1, 10_000);
  within("databases", args.databases ?? 1, 1, 100);
  within("directSessions", args.directSessions ?? 1, 1, 10_000);
  within("maxClients", maxClients, 1, 100_000);
  within("connectionsPerSecond", connectionsPerSecond, 1, 100_000);
  // Docker's provider waits 20 minutes for a container to end, and a node that is emptied waits for its pods.
  within("drainSeconds", drainSeconds, 0, 900);
  // Shares of numbers that are none would only be more to read.
  const connections =
    problems.length > 0 ? { poolSize: 1, perDatabase: 1, directSessions: 1 } : poolConnections(args, members);
  if ("problem" in connections && connections.problem) problems.push(connections.problem);
  const lag = resolveSize("proxy.maximumLag", maximumLag, LAG);
  problems.push(...lag.problems);
  const cpu = args.cpu === undefined ? [] : cpuProblems("proxy.cpu", args.cpu);
  const millis = args.cpu === undefined || cpu.length > 0 ? undefined : cpuMillis(args.cpu);
  problems.push(...cpu);
  names.forEach((name, i) => {
    if (isIP(name) === 0 && !DNS_NAME.test(name))
      problem(`names[${i}]`, name, "must be a DNS name or an address", "Write for instance db.example.com");
  });
  const memory = resolveProxyMemory(args.memory, {
    pool: maxClients,
    entry: entryConnections({ maxClients, writePools, readPools }),
  });
  problems.push(...memory.problems, ...portProblems(ports, entries));
  return {
    value: {
      entries,
      writePools,
      readPools,
      poolSize: connections.poolSize,
      perDatabase: connections.perDatabase,
      directSessions: connections.directSessions,
      resetSessions,
      maxClients,
      connectionsPerSecond,
      maximumLagBytes: lag.mib * 1024 * 1024,
      drainSeconds,
      names,
      ...(millis && { cpuMillis: millis }),
      ...memory.value,
      ports,
    },
    problems,
  };
}

/** With fewer, a pool would look passwords up on the connection that its clients need. */
const LEAST_PER_DATABASE = 3;

/** How many connections each pool opens, such that both fleets fit into one member together with everybody else. */
function poolConnections(
  args: Pick<
    ProxyTierArgs,
    "entries" | "writePools" | "readPools" | "poolSize" | "databases" | "directSessions"
  >,
  { parameters, setting = "patroni.parameters.max_connections", ofGuests }: MemberConnections,
): Pick<ResolvedProxyTier, "poolSize" | "perDatabase" | "directSessions"> & { readonly problem?: Problem } {
  const { entries = DEFAULT_ENTRIES, writePools = 2, readPools = 2, databases = 1, directSessions } = args;
  const needs = { entries, pools: writePools + readPools, databases, directSessions, ofGuests };
  const shares = shareConnections(needs, parameters);
  const least = Math.max(args.poolSize ?? 0, LEAST_PER_DATABASE);
  const value = {
    poolSize: args.poolSize ?? Math.min(20, Math.max(1, shares.perPool)),
    directSessions: shares.directSessions,
  };
  const perDatabase = Math.max(1, Math.min(Math.max(2 * value.poolSize, LEAST_PER_DATABASE), shares.perPool));
  if (shares.perPool >= least) return { ...value, perDatabase };
  const direct = entries * shares.directSessions;
  const leaves = Math.max(0, shares.perPool);
  const rule =
    `needs more connections than a member admits: of the ${shares.ordinary} that max_connections (${String(parameters["max_connections"])}) has for others than superusers, ` +
    `${direct} are for direct sessions of the entries, and ${needs.pools + 1} pools (${writePools} for writes, ${readPools} for reads, all of which reach the leader ` +
    `when no replica is left, and one that is being replaced) share the rest: ${leaves} each${databases > 1 ? ` for each of ${databases} databases` : ""} beside the session of its follower`;
  const ways = [
    leaves >= LEAST_PER_DATABASE ? `Use ${leaves} or less, have fewer pools` : "Have fewer pools",
    `raise ${setting} to ${connectionsFor(least, needs, parameters)}`,
  ].join(", or ");
  return {
    ...{ ...value, perDatabase },
    problem: {
      setting: args.poolSize === undefined ? "proxy" : "proxy.poolSize",
      value: args.poolSize ?? { writePools, readPools },
      rule,
      remedy: ways,
    },
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
