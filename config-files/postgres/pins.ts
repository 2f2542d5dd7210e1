/**
 * Settings that the system's own sessions need, whatever the server's parameters are. They must apply from the login on: a standby refuses
 * the first statement of a session whose transactions would be serializable, and with a library that does not exist every login fails. The
 * same list for Python: config-files/patroni/scripts/pins.py.
 */
export const PINS: Readonly<Record<string, string>> = {
  default_transaction_isolation: "read committed",
  default_transaction_read_only: "off",
  default_transaction_deferrable: "off",
  // Each session sets its own timeouts.
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

/** Including settings that only a superuser may change. */
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
 * Pins as settings of a role, for sessions that cannot pass them at login: PgBouncer's lookup sessions, an extension's background workers,
 * and tools that connect as the superuser.
 */
export const ROLE_PINS: Readonly<Record<string, string>> = Object.fromEntries(
  AT_ROLES.map((name) => [name, PINS[name] ?? ""]),
);

/** Formatted for a connection's `options`: https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNECT-OPTIONS */
export const sessionOptions = (pins: Readonly<Record<string, string>>): string =>
  Object.entries(pins)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, "\\$&")}`)
    .join(" ");
