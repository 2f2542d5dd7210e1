import type { CitusRole } from "./citus";
import type { PostgresWishes } from "./wishes";

/** Facts from which the defaults are computed. */
export interface ParameterFacts {
  /** Memory limit of a member in MiB. */
  readonly memoryMiB: number;
  /** The setting that determines it, for messages. Default `patroni.memory`. */
  readonly memorySetting?: string;
  /** The role of the member's group in a Citus cluster. Default: none. */
  readonly citus?: CitusRole;
  /** The application's database. Default: none, or only members of another group know it. */
  readonly database?: string;
  /** Minimum of `max_connections`, whatever the memory. Default 0. */
  readonly leastConnections?: number;
  /** Parameters, libraries and access rules that guests request. Default none. */
  readonly guests?: readonly PostgresWishes[];
}

/** Memory of Patroni, the supervisor and PostgreSQL's own processes in a member, in MiB: 65 when idle, plus some sessions. */
export const PROCESSES_MIB = 128;

/**
 * Size of a member's `/dev/shm` in MiB: its memory without a quarter for `shared_buffers` and without the processes. Parallel queries and
 * parallel index builds use it; an HNSW index build uses all of `maintenance_work_mem`. It is part of the memory limit, not in addition to
 * it: a statement that needs more gets an error, whereas without this limit the kernel would kill a process, and PostgreSQL with it.
 */
export const sharedMemoryMiB = (memoryMiB: number): number =>
  Math.max(64, Math.floor((memoryMiB * 3) / 4) - PROCESSES_MIB);

const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, Math.floor(value)));

/**
 * Our defaults, where PostgreSQL's own do not fit; a user may override each. All other parameters have PostgreSQL's default or are mandatory
 * (mandatory.ts). The reasons for the numbers that failover depends on: postgres.md.
 */
export function defaultParameters({
  memoryMiB,
  leastConnections = 0,
}: ParameterFacts): Record<string, string> {
  // A quarter for shared buffers; the kernel's page cache uses the rest.
  // https://www.postgresql.org/docs/17/runtime-config-resource.html
  const sharedBuffers = clamp(memoryMiB / 4, 32, 16_384);
  const connections = Math.max(leastConnections, clamp(memoryMiB / 8, 50, 300));
  return {
    shared_buffers: `${sharedBuffers}MB`,
    effective_cache_size: `${clamp(memoryMiB * 0.7, 64, 1_000_000)}MB`,
    // Pools keep the number of server connections low; each costs about 2 MB when idle.
    max_connections: String(connections),
    // For Patroni, `pulumi up` and operators, whatever clients do; PostgreSQL's default of 3 may be used up by Patroni alone.
    superuser_reserved_connections: "10",
    work_mem: `${clamp((memoryMiB - sharedBuffers) / connections / 2, 4, 64)}MB`,
    maintenance_work_mem: `${clamp(memoryMiB / 16, 32, 1024)}MB`,

    // Allows adding logical subscribers without a restart; Citus needs it, too. The extra WAL is small.
    wal_level: "logical",
    max_wal_senders: "16",
    max_replication_slots: "16",
    wal_compression: "lz4",
    max_wal_size: "2GB",
    // A member that was briefly away continues from it, and pg_rewind finds the WAL it needs.
    wal_keep_size: "256MB",
    // The slot of a lost replica must not fill the leader's disk: beyond this size the replica is cloned again.
    max_slot_wal_keep_size: "4GB",
    synchronous_commit: "on",

    // How soon either end notices that the other is silently gone. PostgreSQL's default of 60 s would block commits for as long.
    wal_sender_timeout: "5s",
    wal_receiver_timeout: "5s",
    // The default of 5 s was measured once as a pause between the promotion request and the promotion.
    wal_retrieve_retry_interval: "500ms",
    tcp_keepalives_idle: "10s",
    tcp_keepalives_interval: "5s",
    tcp_keepalives_count: "3",
    tcp_user_timeout: "10s",
    // A query is cancelled when its client is gone.
    client_connection_check_interval: "5s",
    authentication_timeout: "15s",
    // A backend crash stops the server, and Patroni decides: a replica is promoted sooner than a long crash recovery ends.
    restart_after_crash: "off",

    // The leader's vacuum does not cancel long reads on a replica; in turn they delay vacuum.
    hot_standby_feedback: "on",
    // A failover has to wait for a replica that is behind because of its readers.
    max_standby_streaming_delay: "5s",
    max_standby_archive_delay: "5s",
    // A forgotten transaction holds locks and delays vacuum.
    idle_in_transaction_session_timeout: "10min",

    // All current client libraries support it; set TLSv1.2 for older ones.
    ssl_min_protocol_version: "TLSv1.3",
    // The configuration is in the DCS, where it is visible and comparable; ALTER SYSTEM would hide a change on one member.
    allow_alter_system: "off",

    // Solid-state disks.
    random_page_cost: "1.1",
    // JIT compilation of short queries costs more than it saves.
    jit: "off",
    track_io_timing: "on",
    track_activity_query_size: "4kB",
    "pg_stat_statements.max": "5000",

    // CIS 3.1: who connected, how, and when they disconnected. Probes ask Patroni and not PostgreSQL, so this is not noise.
    log_connections: "on",
    log_disconnections: "on",
    log_line_prefix: "%m [%p] %q[user=%u,db=%d,app=%a,client=%h] ",
    log_timezone: "UTC",
    timezone: "UTC",
    log_min_duration_statement: "100ms",
    log_lock_waits: "on",
    log_temp_files: "16MB",
    log_checkpoints: "on",
    log_autovacuum_min_duration: "10s",
  };
}
