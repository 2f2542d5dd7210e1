/**
 * How the connections of a database member are shared out. The worst case is a leader without a replica: both fleets of pools and the
 * direct sessions of every entry reach it then, and everybody must fit, so that nobody's login fails and no pool is in another's way.
 *
 *   max_connections = what superusers alone may take (Patroni, `up`, people)
 *                   + the shares of guests
 *                   + direct sessions of every entry
 *                   + for each pool, and for one more: its sessions, and that of its follower
 *
 * One pool more, because the sessions of one that was replaced or cut off last until the member notices, up to 25 s, while the new one has
 * its own. What streams to replicas has slots of its own (max_wal_senders) and counts nowhere here.
 * https://www.postgresql.org/docs/17/runtime-config-connection.html#GUC-MAX-CONNECTIONS
 */
export interface ConnectionNeeds {
  readonly entries: number;
  /** Of both kinds. */
  readonly pools: number;
  /** How many databases the pools serve, each of which has the same share. */
  readonly databases: number;
  /** What guests of the database have for themselves on each member. Default 0. */
  readonly ofGuests?: number;
  /** Sessions that each entry opens to one member past the pools. Default: a tenth of what there is, for all entries. */
  readonly directSessions?: number;
}

export interface ConnectionShares {
  /** What everybody but superusers and guests has, all together. */
  readonly ordinary: number;
  /** Of each entry on one member, past the pools. */
  readonly directSessions: number;
  /** Of each pool, for each database. Less than 1: they do not fit. */
  readonly perPool: number;
}

type Parameters = Readonly<Record<string, string | number | boolean>>;

/** PostgreSQL's defaults of what it keeps for others, as long as nothing is set. */
const KEPT = { superuser_reserved_connections: 3, reserved_connections: 0 };

/** How many connections a member has for those who are no superusers. */
export function ordinaryConnections(parameters: Parameters): number {
  const number = (name: string, otherwise: number): number => Number(parameters[name] ?? otherwise);
  const kept = Object.entries(KEPT).map(([name, otherwise]) => number(name, otherwise));
  const ordinary = number("max_connections", 100) - kept.reduce((sum, more) => sum + more, 0);
  // -1 is Citus' word for no limit of its own.
  const clients = number("citus.max_client_connections", -1);
  return clients < 0 ? ordinary : Math.min(ordinary, clients);
}

/** Shares the connections of a member out; `parameters` are those that it runs with. */
export function shareConnections(needs: ConnectionNeeds, parameters: Parameters): ConnectionShares {
  const { entries, pools, databases, ofGuests = 0 } = needs;
  const ordinary = ordinaryConnections(parameters) - ofGuests;
  const directSessions = needs.directSessions ?? Math.max(1, Math.floor(ordinary / 10 / entries));
  const perPool = Math.floor(((ordinary - entries * directSessions) / (pools + 1) - 1) / databases);
  return { ordinary, directSessions, perPool };
}

/** The least `max_connections` with which each pool gets `perPool` sessions for each database, all else as it is. */
export function connectionsFor(perPool: number, needs: ConnectionNeeds, parameters: Parameters): number {
  const { ordinary, directSessions } = shareConnections(needs, parameters);
  const wanted = (needs.pools + 1) * (needs.databases * perPool + 1) + needs.entries * directSessions;
  return Number(parameters["max_connections"] ?? 100) + wanted - ordinary;
}
