import { isIP } from "node:net";
import { PORTS } from "../config-files/ports";
import { checkedText, cores, count, list, size, flag } from "./settings/kinds";
import { section, setting, settings } from "./settings/setting";
import { memoryRange } from "./settings/size";

/** Memory that HAProxy or PgBouncer needs without clients. */
export const OWN_MIB = 64;

const memory = size(
  memoryRange(OWN_MIB, "HAProxy and PgBouncer need this much even without clients", "512Mi"),
);

/** A DNS name, optionally with a wildcard as its first label: https://www.rfc-editor.org/rfc/rfc1123#section-2.1 */
const DNS_NAME =
  /^(\*\.)?([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;

const reachedAs = checkedText("name", (name) =>
  isIP(name) !== 0 || DNS_NAME.test(name)
    ? undefined
    : { rule: "must be a DNS name or an IP address", remedy: "Use db.example.com, for example" },
);

const maximumLag = size({
  greatest: 1024 * 1024,
  why: "a replica that far behind would serve very old data",
  example: "16Mi",
});

/** The Docker provider waits 20 minutes for a container to stop, and draining a node waits for its pods. */
const LONGEST_DRAIN = 900;

const hostPort = count(1024, 65_535, {
  rule: "must be a port from 1024 to 65535",
  remedy: `Use ${PORTS.write}, for example`,
});

/** Only Docker publishes host ports. */
const PUBLISHED = { docker: "replacement", kubernetes: "none" } as const;
const HOST_PORTS = {
  /** Host port of the write endpoint. */
  write: setting(hostPort, { default: PORTS.write, cost: PUBLISHED }),
  /** Host port of the read endpoint. */
  read: setting(hostPort, { default: PORTS.read, cost: PUBLISHED }),
  /** Host port of the statistics page. */
  statistics: setting(hostPort, { default: PORTS.statistics, cost: PUBLISHED }),
};

/** Docker changes a memory limit in place. */
const MORE_POOLS = { docker: "members", kubernetes: "replacement" } as const;

export const PROXY_SETTINGS = settings({
  /** Number of HAProxy replicas. */
  entries: setting(count(1, 9), { default: 2, cost: "members" }),
  /** Number of PgBouncer replicas for writes, which follow the leader. If `memory` is not set, HAProxy's memory limit changes with it. */
  writePools: setting(count(1, 9), { default: 2, cost: MORE_POOLS }),
  /** Number of PgBouncer replicas for reads, which connect to the database replicas. If `memory` is not set, HAProxy's memory limit changes with it. */
  readPools: setting(count(1, 9), { default: 2, cost: MORE_POOLS }),
  /**
   * Server connections of each PgBouncer per database and user. All users of a database together get up to twice as many. The connections of all
   * pools and the direct sessions must fit into `max_connections` of one member.
   */
  poolSize: setting(count(1, 10_000), { cost: "reload", otherwise: "20, or what `max_connections` leaves" }),
  /** Number of databases that applications use through the pools. Each gets an equal share of the connections. */
  databases: setting(count(1, 100), { default: 1, cost: "reload" }),
  /** Sessions that bypass the pools (`direct-write`, `direct-read`), per HAProxy and database member. */
  directSessions: setting(count(1, 10_000), {
    cost: "reload",
    otherwise: "a tenth of a member's connections, shared by the entries",
  }),
  /**
   * Resets the session after each transaction: settings, roles, temporary tables, locks, cursors. `false` is faster, but leaves this state
   * visible to other clients ([details](config-files/pgbouncer/pgbouncer.md)).
   */
  resetSessions: setting(flag(), { default: true, cost: "reload" }),
  /** Client connections that each PgBouncer accepts. If `memory` is not set, the memory limits change with it. */
  maxClients: setting(count(1, 100_000), {
    default: 2000,
    cost: { docker: "reload", kubernetes: "replacement" },
  }),
  /** Memory limit of each HAProxy and each PgBouncer. */
  memory: setting(memory, {
    cost: { docker: "none", kubernetes: "replacement" },
    otherwise: "what `maxClients` may need, at least `256Mi`",
  }),
  /** New connections per second per client address. HAProxy rejects more. */
  connectionsPerSecond: setting(count(1, 100_000), { default: 200, cost: "reload" }),
  /** A replica that lags further behind serves no reads. If all replicas do, the leader serves reads. */
  maximumLag: setting(maximumLag, { default: "16Mi", cost: "reload" }),
  /**
   * How long an HAProxy or PgBouncer keeps its sessions during a planned stop. Applications should renew their connections more often than this.
   * A single HAProxy, and a single PgBouncer for writes, stop immediately.
   */
  drainSeconds: setting(count(0, LONGEST_DRAIN), { default: 60, unit: "s", cost: "replacement" }),
  /**
   * How long a client waits for a server connection, for example while a new leader is elected, before its query fails. Keep it longer than
   * [a failover](docs/failover.md).
   */
  queryWaitSeconds: setting(count(5, 3600), { default: 30, unit: "s", cost: "reload" }),
  /** Additional names or addresses of HAProxy for its certificates, such as `db.example.com`. */
  names: setting(list("list of names", reachedAs), { default: [], cost: "reload" }),
  /** CPU request of each HAProxy and each PgBouncer, in cores. It is not a limit: throttling would delay every transaction. */
  cpu: setting(cores(), { cost: { docker: "none", kubernetes: "replacement" }, otherwise: "none" }),
  /** Host ports on 127.0.0.1 of the first HAProxy. They are 10 higher for each further one (Docker). */
  ports: section(HOST_PORTS),
});
