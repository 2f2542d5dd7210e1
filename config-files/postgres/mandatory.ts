/** A parameter whose value is fixed. */
export interface Mandatory {
  readonly value: string;
  /** What would break with another value. */
  readonly why: string;
}

const TLS_WHY = "every connection uses TLS with the certificate that the cluster issues and renews";
const PASSWORD_WHY = "passwords in statements and parameters would be logged";

/** Parameters that the cluster sets and users cannot override. */
export const MANDATORY: Readonly<Record<string, Mandatory>> = {
  ssl: { value: "on", why: TLS_WHY },
  ssl_cert_file: { value: "/secrets/tls/tls.crt", why: TLS_WHY },
  ssl_key_file: { value: "/secrets/tls/tls.key", why: TLS_WHY },
  ssl_ca_file: { value: "/secrets/tls/ca.crt", why: TLS_WHY },
  // CIS 6.8, 3.1: https://www.cisecurity.org/benchmark/postgresql
  password_encryption: { value: "scram-sha-256", why: "the pools and pg_hba.conf accept only SCRAM" },

  // Acknowledged means on disk: https://www.postgresql.org/docs/17/runtime-config-wal.html
  fsync: { value: "on", why: "without it, a crash can lose acknowledged writes or corrupt the database" },
  full_page_writes: {
    value: "on",
    why: "without it, a crash can leave torn pages; pg_rewind also requires it",
  },

  log_statement: {
    value: "none",
    why: `${PASSWORD_WHY}; to log slow statements, use log_min_duration_statement`,
  },
  log_parameter_max_length: { value: "0", why: PASSWORD_WHY },
  log_parameter_max_length_on_error: { value: "0", why: PASSWORD_WHY },
  "pg_stat_statements.track_utility": {
    value: "off",
    why: "it would store the text of CREATE ROLE ... PASSWORD",
  },
  // The collector would write to the data volume and fill it.
  logging_collector: {
    value: "off",
    why: "the log goes to the container's output, which the platform collects",
  },
  log_destination: {
    value: "stderr",
    why: "the log goes to the container's output, which the platform collects",
  },
  unix_socket_directories: {
    value: "/run/postgresql",
    why: "Patroni and the tools in the container expect the socket there",
  },
};

const PATRONI = "Patroni sets it for each member, depending on its role";
const OF_TRANSACTIONS =
  "it applies to a single transaction; the default_... parameter of the same name sets its initial value";
const LAYOUT = "the image and Patroni determine the location of files";

/** Parameters that others set: a value in the dynamic configuration would be ignored or conflict with theirs. */
export const MANAGED: Readonly<Record<string, string>> = {
  listen_addresses: PATRONI,
  port: PATRONI,
  cluster_name: PATRONI,
  hot_standby: PATRONI,
  primary_conninfo: PATRONI,
  primary_slot_name: PATRONI,
  synchronous_standby_names: `${PATRONI}, from patroni.synchronous and patroni.synchronousReplicas`,
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

/** Limits of a parameter that are stricter than PostgreSQL's own. */
export interface Limit {
  readonly allowed?: readonly string[];
  /** In the parameter's own unit. */
  readonly atLeast?: number;
  readonly why: string;
}

const ONE_ROLE =
  "set it for a role or database instead (ALTER ROLE ... SET, ALTER DATABASE ... SET), or in the transaction (BEGIN ...)";
const PATRONI_MINIMUM = "for a lower value Patroni silently uses its own default";

export const LIMITS: Readonly<Record<string, Limit>> = {
  synchronous_commit: {
    allowed: ["on", "remote_apply"],
    why: "with less, a failover may lose acknowledged writes; a single transaction can still use SET LOCAL",
  },
  wal_level: { allowed: ["replica", "logical"], why: "replication requires it" },
  default_transaction_isolation: {
    allowed: ["read committed", "repeatable read"],
    why: `a hot standby does not support serializable transactions, so every statement of the read pools would fail; ${ONE_ROLE}`,
  },
  default_transaction_read_only: {
    allowed: ["off"],
    why: `every write through the write endpoint would fail; ${ONE_ROLE}`,
  },
  session_replication_role: {
    allowed: ["origin"],
    why: "foreign keys and triggers would be silently ignored; a session that restores data can use SET",
  },
  // Parameters that could silently lose or corrupt acknowledged data.
  zero_damaged_pages: {
    allowed: ["off"],
    why: "it zeroes damaged pages, and their rows are lost",
  },
  ignore_invalid_pages: { allowed: ["off"], why: "recovery would continue despite missing pages" },
  ignore_checksum_failure: { allowed: ["off"], why: "corrupted pages would be read as if they were valid" },
  data_sync_retry: {
    allowed: ["off"],
    why: "after a failed fsync, a retry can report success although the data were lost",
  },
  // 0 disables status updates: https://www.postgresql.org/docs/17/runtime-config-replication.html
  wal_receiver_status_interval: {
    atLeast: 1,
    why: "a replica would not report its replay position, and every commit would wait for it",
  },
  ssl_min_protocol_version: { allowed: ["TLSv1.2", "TLSv1.3"], why: "older protocols are insecure" },
  max_connections: { atLeast: 25, why: PATRONI_MINIMUM },
  // Every replica streams, a new one is copied over two connections, and a switchover needs a spare one.
  max_wal_senders: {
    atLeast: 12,
    why: "up to seven members, base backups for new members, and logical subscribers use them",
  },
  max_replication_slots: { atLeast: 10, why: "every member uses one" },
  max_worker_processes: { atLeast: 2, why: PATRONI_MINIMUM },
  max_locks_per_transaction: { atLeast: 32, why: PATRONI_MINIMUM },
  wal_keep_size: { atLeast: 16, why: PATRONI_MINIMUM },
};

/** Libraries that are always loaded, in addition to the user's list. */
export const PRELOADED_LIBRARIES: readonly string[] = ["pg_stat_statements"];
