/**
 * What the system's own sessions need, whatever the server's parameters say. It must hold from the login on: a standby refuses the first
 * statement of a session whose transactions would be serializable, and nobody logs in with a library that is not there. The same list for
 * Python: config-files/patroni/scripts/pins.py.
 */
export const PINS: Readonly<Record<string, string>> = {
  default_transaction_isolation: "read committed",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  // Each session says for itself how long it waits.
  statement_timeout: "0",
  lock_timeout: "0",
  transaction_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  search_path: '"$user", public',
  row_security: "on",
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  default_table_access_method: "heap",
  restrict_nonsystem_relation_kind: "",
  exit_on_error: "off",
  local_preload_libraries: "",
};

/** With what only a superuser may set. */
export const SUPERUSER_PINS: Readonly<Record<string, string>> = {
  ...PINS,
  session_preload_libraries: "",
  session_replication_role: "origin",
};

const AT_ROLES = [
  ...["default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable"],
  ...["statement_timeout", "lock_timeout", "transaction_timeout"],
  ...["idle_in_transaction_session_timeout", "idle_session_timeout", "exit_on_error"],
];

/**
 * As settings of a role, for sessions that cannot say it when they log in: those that PgBouncer opens to look up verifiers, those of an
 * extension's workers, of tools that come as the superuser.
 */
export const ROLE_PINS: Readonly<Record<string, string>> = Object.fromEntries(
  AT_ROLES.map((name) => [name, PINS[name] ?? ""]),
);

/** For `options` of a connection: https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNECT-OPTIONS */
export const sessionOptions = (pins: Readonly<Record<string, string>>): string =>
  Object.entries(pins)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, "\\$&")}`)
    .join(" ");
