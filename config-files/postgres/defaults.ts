import type { CitusRole } from "./citus";
import type { PostgresWishes } from "./wishes";

/** What the defaults are computed from. */
export interface ParameterFacts {
  /** Memory limit of a member in MiB. */
  readonly memoryMiB: number;
  /** Which setting says so, for messages. Default `patroni.memory`. */
  readonly memorySetting?: string;
  /** The part that the member's group has in a Citus cluster. Default: none. */
  readonly citus?: CitusRole;
  /** The application's database. Default: there is none, or another group's members know it. */
  readonly database?: string;
  /** How many connections a member must admit at least, whatever its memory. Default 0. */
  readonly leastConnections?: number;
  /** What guests want. Default none. */
  readonly guests?: readonly PostgresWishes[];
}

/** What Patroni, the supervisor and PostgreSQL's own processes take of a member's memory, in MiB: 65 with nobody there, and some sessions. */
export const PROCESSES_MIB = 128;

/**
 * Size of a member's `/dev/shm` in MiB: all that a quarter for `shared_buffers` and the processes leave of its memory. Parallel queries and
 * parallel builds of indexes live there, a build of an HNSW index with the whole of `maintenance_work_mem`. It is a part of the memory limit,
 * not beside it: a statement that asks for more than there is gets an error, where without this limit the kernel would kill a process, and
 * PostgreSQL with it.
 */
export const sharedMemoryMiB = (memoryMiB: number): number =>
  Math.max(64, Math.floor((memoryMiB * 3) / 4) - PROCESSES_MIB);

const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, Math.floor(value)));

/**
 * Our defaults, where PostgreSQL's own do not fit; a user may change each. What is not here is PostgreSQL's default, or mandatory
 * (mandatory.ts). The reasons for the numbers that failover rests on: postgres.md.
 */
export function defaultParameters({
  memoryMiB,
  leastConnections = 0,
}: ParameterFacts): Record<string, string> {
  // A quarter for PostgreSQL's own cache; the system's page cache uses the rest.
  // https://www.postgresql.org/docs/17/runtime-config-resource.html
  const sharedBuffers = clamp(memoryMiB / 4, 32, 16_384);
  const connections = Math.max(leastConnections, clamp(memoryMiB / 8, 50, 300));
  return {
    shared_buffers: `${sharedBuffers}MB`,
    effective_cache_size: `${clamp(memoryMiB * 0.7, 64, 1_000_000)}MB`,
    // Pools keep server connections few; each costs about 2 MB before it does anything.
    max_connections: String(connections),
    // Patroni's, those of `up`, and people's, whatever clients do; PostgreSQL's own 3 are what Patroni alone may have.
    superuser_reserved_connections: "10",
    work_mem: `${clamp((memoryMiB - sharedBuffers) / connections / 2, 4, 64)}MB`,
    maintenance_work_mem: `${clamp(memoryMiB / 16, 32, 1024)}MB`,

    // Lets logical subscribers be added without a restart, and Citus asks for it. The extra WAL is small.
    wal_level: "logical",
    max_wal_senders: "16",
    max_replication_slots: "16",
    wal_compression: "lz4",
    max_wal_size: "2GB",
    // A member that was away for a moment goes on from here, and pg_rewind finds the WAL it needs.
    wal_keep_size: "256MB",
    // The slot of a lost replica must not fill the leader's disk: beyond this the replica is cloned again.
    max_slot_wal_keep_size: "4GB",
    synchronous_commit: "on",

    // How soon either end notices that the other is gone without a word. PostgreSQL's 60 s would hold commits for as long.
    wal_sender_timeout: "5s",
    wal_receiver_timeout: "5s",
    // 5 s, the default, were once measured as a pause between the request to promote and the promotion.
    wal_retrieve_retry_interval: "500ms",
    tcp_keepalives_idle: "10s",
    tcp_keepalives_interval: "5s",
    tcp_keepalives_count: "3",
    tcp_user_timeout: "10s",
    // A query whose client is gone does not run on.
    client_connection_check_interval: "5s",
    authentication_timeout: "15s",
    // A backend that crashes takes the server down, and Patroni decides: a replica leads sooner than a long recovery in place ends.
    restart_after_crash: "off",

    // Long reads on a replica are not cancelled by the leader's vacuum; in turn they hold it up.
    hot_standby_feedback: "on",
    // A replica that waits for its readers is one that a failover waits for.
    max_standby_streaming_delay: "5s",
    max_standby_archive_delay: "5s",
    // A forgotten transaction holds locks and vacuum.
    idle_in_transaction_session_timeout: "10min",

    // Any client library of this decade has it; TLSv1.2 may be set for an older one.
    ssl_min_protocol_version: "TLSv1.3",
    // Configuration lives in the DCS, where it can be seen and compared; ALTER SYSTEM would hide it on one member.
    allow_alter_system: "off",

    // Solid-state disks.
    random_page_cost: "1.1",
    // Compiling short queries costs more than it brings.
    jit: "off",
    track_io_timing: "on",
    track_activity_query_size: "4kB",
    "pg_stat_statements.max": "5000",

    // CIS 3.1: who came, how, and when they left. Probes ask Patroni and not PostgreSQL, so this is not noise.
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
