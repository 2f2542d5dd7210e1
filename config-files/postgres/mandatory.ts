/** A parameter with a value of ours that nobody may change. */
export interface Mandatory {
  readonly value: string;
  /** What breaks otherwise. */
  readonly why: string;
}

const TLS_WHY = "every connection is encrypted, with the certificate that the cluster issues and renews";
const PASSWORD_WHY = "a password in a statement or parameter would end up in the log";

/** What we set and nobody may override. */
export const MANDATORY: Readonly<Record<string, Mandatory>> = {
  ssl: { value: "on", why: TLS_WHY },
  ssl_cert_file: { value: "/secrets/tls/tls.crt", why: TLS_WHY },
  ssl_key_file: { value: "/secrets/tls/tls.key", why: TLS_WHY },
  ssl_ca_file: { value: "/secrets/tls/ca.crt", why: TLS_WHY },
  // CIS 6.8, 3.1: https://www.cisecurity.org/benchmark/postgresql
  password_encryption: { value: "scram-sha-256", why: "pools and pg_hba accept SCRAM only" },

  // Acknowledged means on disk: https://www.postgresql.org/docs/17/runtime-config-wal.html
  fsync: { value: "on", why: "without it a crash loses acknowledged writes or the whole database" },
  full_page_writes: { value: "on", why: "without it a crash can leave torn pages, and pg_rewind needs it" },

  log_statement: { value: "none", why: `${PASSWORD_WHY}: log_min_duration_statement shows the slow ones` },
  log_parameter_max_length: { value: "0", why: PASSWORD_WHY },
  log_parameter_max_length_on_error: { value: "0", why: PASSWORD_WHY },
  "pg_stat_statements.track_utility": {
    value: "off",
    why: "it would keep the text of CREATE ROLE ... PASSWORD",
  },
  // The container's log is the one place; a collector would fill the data volume.
  logging_collector: {
    value: "off",
    why: "the log goes to the container's output, where the platform keeps it",
  },
  log_destination: {
    value: "stderr",
    why: "the log goes to the container's output, where the platform keeps it",
  },
  unix_socket_directories: {
    value: "/run/postgresql",
    why: "Patroni and the tools in the container look there",
  },
};

const PATRONI = "Patroni sets it by itself, for each member and role";
const OF_TRANSACTIONS =
  "it belongs to a transaction, which begins with the default_... parameter of the same name";
const LAYOUT = "the image and Patroni decide where files lie";

/** What others set: a value in the dynamic configuration would be ignored, or fight. */
export const MANAGED: Readonly<Record<string, string>> = {
  listen_addresses: PATRONI,
  port: PATRONI,
  cluster_name: PATRONI,
  hot_standby: PATRONI,
  primary_conninfo: PATRONI,
  primary_slot_name: PATRONI,
  synchronous_standby_names: `${PATRONI}: choose by patroni.synchronous and patroni.synchronousReplicas`,
  recovery_target: PATRONI,
  recovery_target_action: PATRONI,
  recovery_target_inclusive: PATRONI,
  recovery_target_lsn: PATRONI,
  recovery_target_name: PATRONI,
  recovery_target_time: PATRONI,
  recovery_target_timeline: PATRONI,
  recovery_target_xid: PATRONI,
  transaction_deferrable: OF_TRANSACTIONS,
  transaction_isolation: OF_TRANSACTIONS,
  transaction_read_only: OF_TRANSACTIONS,
  data_directory: LAYOUT,
  config_file: LAYOUT,
  hba_file: LAYOUT,
  ident_file: LAYOUT,
  external_pid_file: LAYOUT,
};

/** A parameter that may be set, within limits that PostgreSQL itself does not have. */
export interface Limit {
  readonly allowed?: readonly string[];
  /** In the parameter's own unit. */
  readonly atLeast?: number;
  readonly why: string;
}

const ONE_ROLE =
  "choose it for one role or database (ALTER ROLE ... SET, ALTER DATABASE ... SET), or in the transaction (BEGIN ...)";
const PATRONI_MINIMUM = "Patroni would silently use its own default instead";

export const LIMITS: Readonly<Record<string, Limit>> = {
  synchronous_commit: {
    allowed: ["on", "remote_apply"],
    why: "less would acknowledge writes that a failover may lose; a single transaction may still choose it by SET LOCAL",
  },
  wal_level: { allowed: ["replica", "logical"], why: "replicas need it" },
  default_transaction_isolation: {
    allowed: ["read committed", "repeatable read"],
    why: `a replica refuses every statement of a session whose transactions are serializable, those of the pool for reads among them; ${ONE_ROLE}`,
  },
  default_transaction_read_only: {
    allowed: ["off"],
    why: `the write endpoint would refuse every write; ${ONE_ROLE}`,
  },
  session_replication_role: {
    allowed: ["origin"],
    why: "foreign keys and triggers would be ignored without a word; a session that restores data may choose it by SET",
  },
  // What acknowledged data are worth.
  zero_damaged_pages: {
    allowed: ["off"],
    why: "it throws damaged pages away, and what it threw away is gone",
  },
  ignore_invalid_pages: { allowed: ["off"], why: "recovery would go on without pages that it lacks" },
  ignore_checksum_failure: { allowed: ["off"], why: "damaged pages would be taken for whole ones" },
  data_sync_retry: {
    allowed: ["off"],
    why: "after a failed write to disk the retry succeeds and the data are lost",
  },
  // https://www.postgresql.org/docs/17/runtime-config-replication.html: 0 is never.
  wal_receiver_status_interval: {
    atLeast: 1,
    why: "a replica would not say what it has, and every commit would wait for it",
  },
  ssl_min_protocol_version: { allowed: ["TLSv1.2", "TLSv1.3"], why: "older protocols are broken" },
  max_connections: { atLeast: 25, why: PATRONI_MINIMUM },
  // Every member streams, a new one copies over two connections, and switching over needs one to spare.
  max_wal_senders: {
    atLeast: 12,
    why: "seven members, copies of new ones and logical subscribers need them",
  },
  max_replication_slots: { atLeast: 10, why: "every member has one" },
  max_worker_processes: { atLeast: 2, why: PATRONI_MINIMUM },
  max_locks_per_transaction: { atLeast: 32, why: PATRONI_MINIMUM },
  wal_keep_size: { atLeast: 16, why: PATRONI_MINIMUM },
};

/** Libraries that are always loaded; a user's list is added to them. */
export const PRELOADED_LIBRARIES: readonly string[] = ["pg_stat_statements"];
