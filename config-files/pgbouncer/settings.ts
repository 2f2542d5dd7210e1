/**
 * PgBouncer's settings in two groups: what a user may change and what nobody may. The manual:
 * https://www.pgbouncer.org/config.html. A reload suffices for all of them but `pkt_buf`, which a new process reads.
 */

export type PoolMode = "primary" | "replica";
export type PgbouncerSettings = Readonly<Record<string, string | number>>;

/** What may be changed; times are in seconds. Each value's reason stands in pgbouncer.md. */
export function pgbouncerDefaults(mode: PoolMode): PgbouncerSettings {
  return {
    // Sizes, each for one replica of the pool.
    max_client_conn: 2000,
    default_pool_size: 20,
    min_pool_size: 2,
    reserve_pool_size: 5,
    reserve_pool_timeout: 1,
    max_db_connections: 40,
    max_user_client_connections: 0,
    max_prepared_statements: 200,

    // Waiting for a server.
    query_wait_timeout: 30,
    client_login_timeout: 30,
    server_connect_timeout: 2,
    server_login_retry: 0.2,
    cancel_wait_timeout: 10,

    // The life of a connection to a server. It has the rights of when it was made, and a replica that came back gets its share.
    server_lifetime: 300,
    server_idle_timeout: 300,
    server_check_delay: 5,
    server_check_query: "select 1",
    server_round_robin: mode === "primary" ? 0 : 1,

    // Clients that hold a server and do nothing, or that went away. The database has timeouts of its own.
    idle_transaction_timeout: 0,
    client_idle_timeout: 0,
    query_timeout: 0,

    // The log holds failed logins and errors, but no line a connection.
    log_connections: 0,
    log_disconnections: 0,
    log_pooler_errors: 1,
    log_stats: 0,
    application_name_add_host: 0,

    pkt_buf: 4096,
  };
}

/** What nobody may change: the parts of the system rely on it, or the security of the pool does. */
export const PGBOUNCER_MANDATORY: PgbouncerSettings = {
  // One server connection serves many clients: 1,000 clients on 20 connections. Session pooling cannot do that.
  pool_mode: "transaction",

  // The password's hash of the database is the pool's too, asked for through `pool.lookup` (a SECURITY DEFINER function).
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

  // The console is open to this container's own user over this socket, as user `pgbouncer`, and to nobody else.
  unix_socket_dir: "/run/pgbouncer",
  unix_socket_mode: "0700",
  admin_users: "",

  // A name's address is looked up again after a second, and the follower answers: a member that was restarted may have another one.
  resolv_conf: "/run/pgbouncer/resolv.conf",
  dns_max_ttl: 1,
  dns_nxdomain_ttl: 1,

  // A server that vanished without a word is given up after 5 s, whether an answer is waited for or data is in flight.
  tcp_keepalive: 1,
  tcp_keepidle: 2,
  tcp_keepintvl: 1,
  tcp_keepcnt: 3,
  tcp_user_timeout: 5000,

  // Sent by common drivers (JDBC, lib/pq; libpq with PGGEQO) and without effect on results. `options` is not among them: whoever
  // asks for a setting that the pool cannot keep gets an error and not silence.
  ignore_startup_parameters: "extra_float_digits, geqo",
};

/**
 * What gives a connection to the server back as it was when it was new, but for prepared statements, which PgBouncer keeps count of: DISCARD ALL,
 * of which this is all the rest, would drop those, too (https://www.postgresql.org/docs/17/sql-discard.html). First the limit of time: PgBouncer
 * does not notice a reset that fails, and what the client left may be too short for the rest. Then the role: a session that has taken another one
 * may not reset what only its own may. Names are qualified: the client may have said where they are looked for.
 */
export const SESSION_RESET =
  "SET statement_timeout = 0; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

/** Set by the pool's own input or by the start script, each for the reason after it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  listen_addr: "fixed",
  listen_port: "the port of the workload",
  auth_user: "the name of the lookup role",
  auth_dbname: "the database of the lookup function",
  stats_users: "the input `statisticsUsers`",
  server_reset_query: "the input `resetSessions`",
  server_reset_query_always: "the input `resetSessions`",
  peer_id: "the ordinal of the replica",
};

/** The greatest value of the settings that are numbers; the least is 0. */
const LIMITS: Readonly<Record<string, number>> = {
  pkt_buf: 65536,
  max_client_conn: 100_000,
  default_pool_size: 10_000,
  // What a role may no longer do is refused after that long at the latest.
  server_lifetime: 300,
};

/** Everything that is wrong with a user's settings, each with its name, its value and the rule. */
export function pgbouncerProblems(mode: PoolMode, settings: PgbouncerSettings): string[] {
  const defaults = pgbouncerDefaults(mode);
  return Object.entries(settings).flatMap(([name, value]) => {
    const mandatory = PGBOUNCER_MANDATORY[name];
    if (mandatory !== undefined)
      return [`${name}: must be ${JSON.stringify(mandatory)}, because the pools rely on it`];
    if (ELSEWHERE[name] !== undefined) return [`${name}: cannot be set here, it is ${ELSEWHERE[name]}`];
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
