import { isIP } from "node:net";
import { PORTS } from "../config-files/ports";
import { checkedText, cores, count, list, size, flag } from "./settings/kinds";
import { section, setting, settings } from "./settings/setting";
import { memoryRange } from "./settings/size";

/** What an HAProxy or a PgBouncer takes for itself. */
export const OWN_MIB = 64;

const memory = size(
  memoryRange(OWN_MIB, "an HAProxy or a PgBouncer takes as much without any client", "512Mi"),
);

/** A DNS name, a wildcard in its first label allowed: https://www.rfc-editor.org/rfc/rfc1123#section-2.1 */
const DNS_NAME =
  /^(\*\.)?([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

const reachedAs = checkedText("name", (name) =>
  isIP(name) !== 0 || DNS_NAME.test(name)
    ? undefined
    : { rule: "must be a DNS name or an address", remedy: "Write for instance db.example.com" },
);

const maximumLag = size({
  greatest: 1024 * 1024,
  why: "such a replica would serve reads of long ago",
  example: "16Mi",
});

/** Docker's provider waits 20 minutes for a container to end, and a node that is emptied waits for its pods. */
const LONGEST_DRAIN = 900;

const hostPort = count(1024, 65_535, {
  rule: "must be a port from 1024 to 65535",
  remedy: `Use for instance ${PORTS.write}`,
});

/** Only Docker publishes ports of the host. */
const PUBLISHED = { docker: "replacement", kubernetes: "none" } as const;
const HOST_PORTS = {
  /** Host port of the write endpoint. */
  write: setting(hostPort, { default: PORTS.write, cost: PUBLISHED }),
  /** Host port of the read endpoint. */
  read: setting(hostPort, { default: PORTS.read, cost: PUBLISHED }),
  /** Host port of the statistics page. */
  statistics: setting(hostPort, { default: PORTS.statistics, cost: PUBLISHED }),
};

/** Docker changes the limit of memory in place. */
const MORE_POOLS = { docker: "members", kubernetes: "replacement" } as const;

export const PROXY_SETTINGS = settings({
  /** How many HAProxy. */
  entries: setting(count(1, 9), { default: 2, cost: "members" }),
  /** How many PgBouncer for writes, which follow the leader. Without `memory`, that of HAProxy changes with it. */
  writePools: setting(count(1, 9), { default: 2, cost: MORE_POOLS }),
  /** How many PgBouncer for reads, which go to the replicas. Without `memory`, that of HAProxy changes with it. */
  readPools: setting(count(1, 9), { default: 2, cost: MORE_POOLS }),
  /**
   * Server connections of each PgBouncer per database and user; all users of a database together get up to twice as many. All pools and direct
   * sessions must fit into `max_connections` of one member.
   */
  poolSize: setting(count(1, 10_000), { cost: "reload", otherwise: "20, or what `max_connections` leaves" }),
  /** How many databases applications use through the pools; each has an equal share of the connections. */
  databases: setting(count(1, 100), { default: 1, cost: "reload" }),
  /** Sessions past the pools (`direct-write`, `direct-read`) that each entry opens to a member. */
  directSessions: setting(count(1, 10_000), {
    cost: "reload",
    otherwise: "a tenth of a member's connections, shared by the entries",
  }),
  /**
   * Reset after each transaction what it left in its session: settings, roles, temporary tables, locks, cursors. `false` is faster, and lets other
   * clients see it ([which](config-files/pgbouncer/pgbouncer.md)).
   */
  resetSessions: setting(flag(), { default: true, cost: "reload" }),
  /** Client connections that each PgBouncer admits. Without `memory`, the limits change with it. */
  maxClients: setting(count(1, 100_000), {
    default: 2000,
    cost: { docker: "reload", kubernetes: "replacement" },
  }),
  /** Memory limit of each HAProxy and each PgBouncer. */
  memory: setting(memory, {
    cost: { docker: "none", kubernetes: "replacement" },
    otherwise: "what `maxClients` may need, at least `256Mi`",
  }),
  /** New connections per second that one client address may open at the entry; more are refused. */
  connectionsPerSecond: setting(count(1, 100_000), { default: 200, cost: "reload" }),
  /** A replica that is further behind serves no reads; when none is near enough, the leader does. */
  maximumLag: setting(maximumLag, { default: "16Mi", cost: "reload" }),
  /**
   * How long an entry or a pool that is stopped on purpose lets its sessions continue; have applications renew their connections sooner. An only
   * entry, and an only pool for writes, stop at once.
   */
  drainSeconds: setting(count(0, LONGEST_DRAIN), { default: 60, unit: "s", cost: "replacement" }),
  /**
   * How long a client waits for a server connection, as while another leader is elected, before its query fails. Keep it longer than
   * [a failover](docs/failover.md) takes.
   */
  queryWaitSeconds: setting(count(5, 3600), { default: 30, unit: "s", cost: "reload" }),
  /** Further names or addresses of the entry, such as `db.example.com`, for its certificates. */
  names: setting(list("list of names", reachedAs), { default: [], cost: "reload" }),
  /** Cores that are set aside for each HAProxy and each PgBouncer. It is no limit: throttling would delay every transaction. */
  cpu: setting(cores(), { cost: { docker: "none", kubernetes: "replacement" }, otherwise: "none" }),
  /** Ports of 127.0.0.1 for the first entry; each further entry has them 10 higher (Docker). */
  ports: section(HOST_PORTS),
});
