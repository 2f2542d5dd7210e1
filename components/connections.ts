/**
 * How the connections of a database member are shared. The worst case is a leader without replicas: then both pool fleets and the
 * direct sessions of every proxy reach it. All of them must fit, so that no login fails and no pool takes another pool's share.
 *
 *   max_connections = connections reserved for superusers (Patroni, `up`, operators)
 *                   + the shares of guests
 *                   + direct sessions of every proxy
 *                   + per pool, and for one extra pool: its sessions and that of its follower
 *
 * The extra pool: sessions of a pool that was replaced or cut off last until the member notices, up to 25 s, and its successor opens its own
 * meanwhile. Replication has its own slots (max_wal_senders) and does not count here.
 * https://www.postgresql.org/docs/17/runtime-config-connection.html#GUC-MAX-CONNECTIONS
 */
export interface ConnectionNeeds {
  readonly entries: number;
  /** Number of pools, for writes and for reads together. */
  readonly pools: number;
  /** How many databases the pools serve. Each gets the same share. */
  readonly databases: number;
  /** Connections reserved for guests on each member. Default 0. */
  readonly ofGuests?: number;
  /** Sessions that each proxy opens directly to one member, bypassing the pools. Default: a tenth of the ordinary connections, shared by all proxies. */
  readonly directSessions?: number;
}

export interface ConnectionShares {
  /** Connections for everyone except superusers and guests, in total. */
  readonly ordinary: number;
  /** Per proxy on one member, bypassing the pools. */
  readonly directSessions: number;
  /** Per pool and database. Less than 1 means that they do not fit. */
  readonly perPool: number;
}

type Parameters = Readonly<Record<string, string | number | boolean>>;

/** PostgreSQL's defaults for reserved connections. */
const KEPT = { superuser_reserved_connections: 3, reserved_connections: 0 };

/** How many connections of a member are open to roles that are not superusers. */
export function ordinaryConnections(parameters: Parameters): number {
  const number = (name: string, otherwise: number): number => Number(parameters[name] ?? otherwise);
  const kept = Object.entries(KEPT).map(([name, otherwise]) => number(name, otherwise));
  const ordinary = number("max_connections", 100) - kept.reduce((sum, more) => sum + more, 0);
  // -1: Citus sets no limit of its own.
  const clients = number("citus.max_client_connections", -1);
  return clients < 0 ? ordinary : Math.min(ordinary, clients);
}

/** Shares the connections of a member; `parameters` are the ones that it runs with. */
export function shareConnections(needs: ConnectionNeeds, parameters: Parameters): ConnectionShares {
  const { entries, pools, databases, ofGuests = 0 } = needs;
  const ordinary = ordinaryConnections(parameters) - ofGuests;
  const directSessions = needs.directSessions ?? Math.max(1, Math.floor(ordinary / 10 / entries));
  const perPool = Math.floor(((ordinary - entries * directSessions) / (pools + 1) - 1) / databases);
  return { ordinary, directSessions, perPool };
}

/** The lowest `max_connections` that gives each pool `perPool` sessions per database, with everything else unchanged. */
export function connectionsFor(perPool: number, needs: ConnectionNeeds, parameters: Parameters): number {
  const { ordinary, directSessions } = shareConnections(needs, parameters);
  const wanted = (needs.pools + 1) * (needs.databases * perPool + 1) + needs.entries * directSessions;
  return Number(parameters["max_connections"] ?? 100) + wanted - ordinary;
}
