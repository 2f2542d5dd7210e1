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

/** The one way in for applications: HAProxy before two fleets of PgBouncer, one for writes and one for reads. */
export interface ProxyTierArgs extends Written<typeof PROXY_SETTINGS> {
  readonly platform: Platform;
  /** Issues the certificates that clients see. */
  readonly certificates: ClusterCertificates;
  /** The cluster whose leader and replicas are served. */
  readonly database: PooledDatabase;
  /** What else needs something of the entries or of the pools. Default none. */
  readonly guests?: { readonly entry?: Guests; readonly pools?: Guests };
}

type Settings = Resolved<typeof PROXY_SETTINGS>;
type HostPorts = Settings["ports"];
export type ProxyPorts = Partial<HostPorts>;

/** `ProxyTierArgs` with every default filled in, and amounts as numbers. */
export interface ResolvedProxyTier
  extends
    ProxyMemory,
    ConnectionsOfPools,
    Omit<Settings, "poolSize" | "directSessions" | "memory" | "maximumLag" | "cpu"> {
  readonly maximumLagBytes: number;
  readonly cpuMillis?: number;
}

/** How the members' connections are shared out. */
interface ConnectionsOfPools {
  readonly poolSize: number;
  /** The most server connections of a pool for each database, of all users. */
  readonly perDatabase: number;
  readonly directSessions: number;
}

/** How far apart the ports of two entries are on one host. */
export const ENTRY_PORT_STEP = 10;
const GREATEST_PORT = 65_535;

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
  const { value, problems: own, sound } = resolveSettings(PROXY_SETTINGS, args, "proxy");
  const { memory, maximumLag, cpu, ...settings } = value;
  const problems = [...own];
  // Shares of numbers that are none would only be more to read.
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

/** With fewer, a pool would look passwords up on the connection that its clients need. */
const LEAST_PER_DATABASE = 3;

/** How many connections each pool opens, such that both fleets fit into one member together with everybody else. */
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
    `needs more connections than a member admits: of the ${shares.ordinary} that max_connections (${String(parameters["max_connections"])}) has for others than superusers, ` +
    `${direct} are for direct sessions of the entries, and ${needs.pools + 1} pools (${writePools} for writes, ${readPools} for reads, all of which reach the leader ` +
    `when no replica is left, and one that is being replaced) share the rest: ${leaves} each${databases > 1 ? ` for each of ${databases} databases` : ""} beside the session of its follower`;
  const ways = [
    leaves >= LEAST_PER_DATABASE ? `Use ${leaves} or less, have fewer pools` : "Have fewer pools",
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
          rule: `must give every entry a port up to ${GREATEST_PORT} (entry ${entry} would get ${port})`,
          remedy: `Use ${GREATEST_PORT - (entries - 1) * ENTRY_PORT_STEP} or less`,
        });
      } else if (other !== undefined) {
        problems.push({
          ...{ setting, value: first },
          rule: `uses port ${port} a second time (for entry ${entry}): ${other} has it, and each entry's ports are ${ENTRY_PORT_STEP} above those of the one before`,
          remedy: "Choose ports that differ in their last digit",
        });
      }
      taken.set(port, `${setting} of entry ${entry}`);
    }
  }
  return problems;
}
