/**
 * PgBouncer's settings in two groups: those that users may change, and mandatory ones. The manual:
 * https://www.pgbouncer.org/config.html. A reload applies all of them except `pkt_buf`, which needs a restart.
 */

export type PoolMode = "primary" | "replica";
export type PgbouncerSettings = Readonly<Record<string, string | number>>;

/** What the settings of the proxy tier decide, for one replica of the pool. */
export interface PoolSizes {
  readonly maxClients: number;
  readonly poolSize: number;
  /** Server connections per database. */
  readonly perDatabase: number;
  /** How long a client waits for a server connection, in seconds. */
  readonly queryWaitSeconds: number;
}

export const pgbouncerSizes = (sizes: PoolSizes): PgbouncerSettings => ({
  max_client_conn: sizes.maxClients,
  default_pool_size: sizes.poolSize,
  max_db_connections: sizes.perDatabase,
  query_wait_timeout: sizes.queryWaitSeconds,
  // Clients that connect meanwhile wait for the same time.
  client_login_timeout: sizes.queryWaitSeconds,
});

/** Settings that may be overridden; times are in seconds. pgbouncer.md gives the reason for each value. */
export function pgbouncerDefaults(mode: PoolMode): PgbouncerSettings {
  return {
    // Per replica of the pool.
    min_pool_size: 2,
    reserve_pool_size: 5,
    reserve_pool_timeout: 1,
    max_user_client_connections: 0,
    max_prepared_statements: 200,

    // Waiting for a server.
    server_connect_timeout: 2,
    server_login_retry: 0.2,
    cancel_wait_timeout: 10,

    // Lifetime of a server connection. It keeps the privileges of its login, and a replica that comes back gets its share of connections.
    server_lifetime: 300,
    server_idle_timeout: 300,
    server_check_delay: 5,
    server_check_query: "select 1",
    server_round_robin: mode === "primary" ? 0 : 1,

    // Clients that hold a server connection while idle, or that are gone. The database has timeouts of its own.
    idle_transaction_timeout: 0,
    client_idle_timeout: 0,
    query_timeout: 0,

    // Log failed logins and errors, but not every connection.
    log_connections: 0,
    log_disconnections: 0,
    log_pooler_errors: 1,
    log_stats: 0,
    application_name_add_host: 0,

    pkt_buf: 4096,
  };
}

/** Settings that users cannot change: other components, or the security of the pool, rely on them. */
export const PGBOUNCER_MANDATORY: PgbouncerSettings = {
  // One server connection serves many clients (1,000 clients on 20 connections). Session pooling cannot do that.
  pool_mode: "transaction",

  // Pools verify passwords with the database's own hashes, looked up by `pool.lookup` (a SECURITY DEFINER function).
  auth_type: "scram-sha-256",
  auth_file: "/secrets/pgbouncer/userlist.txt",
  auth_query: "SELECT * FROM pool.lookup($1)",

  client_tls_sslmode: "require",
  client_tls_cert_file: "/secrets/tls/tls.crt",
  client_tls_key_file: "/secrets/tls/tls.key",
  client_tls_protocols: "secure",
  server_tls_sslmode: "verify-full",
  server_tls_ca_file: "/secrets/tls/ca.crt",
  server_tls_protocols: "secure",

  // The console is only available to this container's own user, over this socket, as user `pgbouncer`.
  unix_socket_dir: "/run/pgbouncer",
  unix_socket_mode: "0700",
  admin_users: "",

  // Names are resolved again after a second, and the follower answers: a restarted member may have another address.
  resolv_conf: "/run/pgbouncer/resolv.conf",
  dns_max_ttl: 1,
  dns_nxdomain_ttl: 1,

  // A server that is silently gone is given up after 5 s, whether PgBouncer waits for an answer or data is in flight.
  tcp_keepalive: 1,
  tcp_keepidle: 2,
  tcp_keepintvl: 1,
  tcp_keepcnt: 3,
  tcp_user_timeout: 5000,

  // Sent by common drivers (JDBC, lib/pq; libpq with PGGEQO) and without effect on results. `options` is not ignored: a client that
  // asks for a setting that the pool cannot keep gets an error.
  ignore_startup_parameters: "extra_float_digits, geqo",
};

/**
 * Resets a server connection to its initial state, except for prepared statements, which PgBouncer tracks: these are the other parts of
 * DISCARD ALL (https://www.postgresql.org/docs/17/sql-discard.html). statement_timeout comes first: PgBouncer does not notice a reset that
 * fails, and the client's value may be too short for the rest. Then the role: with another role set, RESET ALL may lack privileges.
 * Names are schema-qualified, because the client may have changed `search_path`.
 */
export const SESSION_RESET =
  "SET statement_timeout = 0; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/** Settings that come from another input or from the start script, each with its source. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  listen_addr: "fixed",
  listen_port: "the port of the workload",
  auth_user: "the name of the lookup role",
  auth_dbname: "the database of the lookup function",
  stats_users: "the input `statisticsUsers`",
  max_client_conn: "the input `sizes.maxClients`",
  default_pool_size: "the input `sizes.poolSize`",
  max_db_connections: "the input `sizes.perDatabase`",
  query_wait_timeout: "the input `sizes.queryWaitSeconds`",
  client_login_timeout: "the input `sizes.queryWaitSeconds`",
  server_reset_query: "the input `resetSessions`",
  server_reset_query_always: "the input `resetSessions`",
  peer_id: "the ordinal of the replica",
};

/** Maximum of the numeric settings; the minimum is 0. */
const LIMITS: Readonly<Record<string, number>> = {
  pkt_buf: 65536,
  // A revoked privilege takes effect after this time at the latest.
  server_lifetime: 300,
};

/** All problems with a user's settings, each with name, value and rule. */
export function pgbouncerProblems(mode: PoolMode, settings: PgbouncerSettings): string[] {
  const defaults = pgbouncerDefaults(mode);
  return Object.entries(settings).flatMap(([name, value]) => {
    const mandatory = PGBOUNCER_MANDATORY[name];
    if (mandatory !== undefined)
      return [
        `${name}: ${JSON.stringify(value)} is not allowed: it must be ${JSON.stringify(mandatory)}, because the pools rely on it; remove it`,
      ];
    if (ELSEWHERE[name] !== undefined)
      return [`${name}: cannot be set here, because it is ${ELSEWHERE[name]}; remove it`];
    const usual = defaults[name];
    if (usual === undefined)
      return [`${name}: unknown setting; use one of ${Object.keys(defaults).join(", ")}`];
    if (typeof usual === "string") return [];
    const greatest = LIMITS[name] ?? 1_000_000;
    if (typeof value !== "number" || !(value >= 0 && value <= greatest)) {
      return [`${name}: ${JSON.stringify(value)} must be a number from 0 to ${greatest}`];
    }
    return [];
  });
}
