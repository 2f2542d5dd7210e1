import type { Guests } from "./guests/contribution";
import type { PooledDatabase } from "./application-database";
import type { ClusterCertificates } from "./cluster-certificates";
import { connectionsFor, shareConnections } from "./connections";
import type { Platform } from "./platforms/platform";
import type { Problem } from "./settings/problems";
import { type ProxyMemory, resolveProxyMemory } from "./proxy-memory";
import { PROXY_SETTINGS } from "./proxy-settings";
import { resolveSettings } from "./settings/resolve";
import type { Resolved, Written } from "./settings/setting";
import { cpuMillis, mebibytes } from "./settings/size";

/** Arguments of the entry point for applications: HAProxy in front of two PgBouncer fleets, one for writes and one for reads. */
export interface ProxyTierArgs extends Written<typeof PROXY_SETTINGS> {
  readonly platform: Platform;
  /** Issues the certificates that clients verify. */
  readonly certificates: ClusterCertificates;
  /** The cluster whose leader and replicas are served. */
  readonly database: PooledDatabase;
  /** Guests of the entries or of the pools. Default: none. */
  readonly guests?: { readonly entry?: Guests; readonly pools?: Guests };
}

type Settings = Resolved<typeof PROXY_SETTINGS>;
type HostPorts = Settings["ports"];
export type ProxyPorts = Partial<HostPorts>;

/** `ProxyTierArgs` with defaults filled in and amounts as numbers. */
export interface ResolvedProxyTier
  extends
    ProxyMemory,
    ConnectionsOfPools,
    Omit<Settings, "poolSize" | "directSessions" | "memory" | "maximumLag" | "cpu"> {
  readonly maximumLagBytes: number;
  readonly cpuMillis?: number;
}

/** How the members' connections are shared. */
interface ConnectionsOfPools {
  readonly poolSize: number;
  /** Maximum server connections of a pool per database, for all users. */
  readonly perDatabase: number;
  readonly directSessions: number;
}

/** The difference between the host ports of two consecutive entries. */
export const ENTRY_PORT_STEP = 10;
const GREATEST_PORT = 65_535;

/** The parameters that members run with. */
export interface MemberConnections {
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** The setting that limits their connections, for messages. Default `patroni.parameters.max_connections`. */
  readonly setting?: string;
  /** Connections reserved for guests. Default 0. */
  readonly ofGuests?: number;
}

/** Client connections that an entry accepts: as many as one fleet, but enough for health checks and operators. */
export const entryConnections = ({
  maxClients,
  writePools,
  readPools,
}: Pick<ResolvedProxyTier, "maxClients" | "writePools" | "readPools">): number =>
  Math.max(100, maxClients * Math.max(writePools, readPools));

/** Fills in defaults and reports all problems. */
export function resolveProxyTier(
  args: Omit<ProxyTierArgs, "platform" | "certificates" | "database">,
  members: MemberConnections,
): { readonly value: ResolvedProxyTier; readonly problems: readonly Problem[] } {
  const { value, problems: own, sound } = resolveSettings(PROXY_SETTINGS, args, "proxy");
  const { memory, maximumLag, cpu, ...settings } = value;
  const problems = [...own];
  // Shares of invalid numbers would only add noise to the report.
  const shared = sound("entries", "writePools", "readPools", "poolSize", "databases", "directSessions")
    ? poolConnections(value, members)
    : { value: { poolSize: 1, perDatabase: 1, directSessions: 1 }, problems: [] };
  const limits = resolveProxyMemory(memory, { pool: value.maxClients, entry: entryConnections(value) });
  problems.push(...shared.problems);
  if (sound("maxClients", "writePools", "readPools")) problems.push(...limits.problems);
  if (sound("ports", "entries")) problems.push(...portProblems(value.ports, value.entries));
  return {
    value: {
      ...settings,
      ...shared.value,
      ...limits.value,
      maximumLagBytes: mebibytes(maximumLag) * 1024 * 1024,
      ...(cpu !== undefined && { cpuMillis: cpuMillis(cpu) }),
    },
    problems,
  };
}

/** With fewer, password lookups would compete with clients for the pool's connections. */
const LEAST_PER_DATABASE = 3;

/** How many connections each pool opens, so that both fleets and all other sessions fit into one member. */
function poolConnections(
  { entries, writePools, readPools, databases, ...wanted }: Settings,
  { parameters, setting = "patroni.parameters.max_connections", ofGuests }: MemberConnections,
): { readonly value: ConnectionsOfPools; readonly problems: readonly Problem[] } {
  const pools = writePools + readPools;
  const needs = { entries, pools, databases, directSessions: wanted.directSessions, ofGuests };
  const shares = shareConnections(needs, parameters);
  const least = Math.max(wanted.poolSize ?? 0, LEAST_PER_DATABASE);
  const poolSize = wanted.poolSize ?? Math.min(20, Math.max(1, shares.perPool));
  const perDatabase = Math.max(1, Math.min(Math.max(2 * poolSize, LEAST_PER_DATABASE), shares.perPool));
  const value = { poolSize, perDatabase, directSessions: shares.directSessions };
  if (shares.perPool >= least) return { value, problems: [] };
  const direct = entries * shares.directSessions;
  const leaves = Math.max(0, shares.perPool);
  const rule =
    `needs more connections than a member accepts. max_connections (${String(parameters["max_connections"])}) leaves ${shares.ordinary} for non-superusers; ` +
    `${direct} of them are for direct sessions. ${needs.pools + 1} pools share the rest (${writePools} for writes, ${readPools} for reads, which use the leader ` +
    `if no replica is left, and one extra during a replacement): ${leaves} per pool${databases > 1 ? ` and database (${databases} databases)` : ""}, besides the session of its follower`;
  const ways = [
    leaves >= LEAST_PER_DATABASE ? `Use ${leaves} or less, use fewer pools` : "Use fewer pools",
    `raise ${setting} to ${connectionsFor(least, needs, parameters)}`,
  ].join(", or ");
  return {
    value,
    problems: [
      {
        setting: wanted.poolSize === undefined ? "proxy" : "proxy.poolSize",
        value: wanted.poolSize ?? { writePools, readPools },
        rule,
        remedy: ways,
      },
    ],
  };
}

function portProblems(ports: HostPorts, entries: number): Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<number, string>();
  for (let entry = 0; entry < entries; entry++) {
    for (const [name, first] of Object.entries<number>({ ...ports })) {
      const port = first + entry * ENTRY_PORT_STEP;
      const setting = `proxy.ports.${name}`;
      const other = taken.get(port);
      if (port > GREATEST_PORT) {
        problems.push({
          ...{ setting, value: first },
          rule: `must leave every entry a port of at most ${GREATEST_PORT} (entry ${entry} would get ${port})`,
          remedy: `Use ${GREATEST_PORT - (entries - 1) * ENTRY_PORT_STEP} or less`,
        });
      } else if (other !== undefined) {
        problems.push({
          ...{ setting, value: first },
          rule: `uses port ${port} twice: for entry ${entry} and for ${other}; the ports of each further entry are ${ENTRY_PORT_STEP} higher`,
          remedy: "Choose ports that differ in their last digit",
        });
      }
      taken.set(port, `${setting} of entry ${entry}`);
    }
  }
  return problems;
}
