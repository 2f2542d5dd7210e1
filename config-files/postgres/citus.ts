import type { Mandatory } from "./mandatory";

/** What PostgreSQL's parameters must be in a group of a Citus cluster. https://docs.citusdata.com/en/stable/develop/api_guc.html */

/** Which nodes there are: the group that plans and the groups that hold the shards. */
export type CitusRole = "coordinator" | "worker";

/** Values where neither PostgreSQL's nor our other defaults fit; a user may change each. `connections` is `max_connections`. */
export function citusDefaults(role: CitusRole, connections: number): Record<string, string> {
  return {
    // Every connection may hold a transaction that is prepared on another node, and one to spare for those that a failover left.
    max_prepared_transactions: String(2 * connections),
    // Moves of shards replicate logically, each with a slot, a sender and a worker on either side, beside the members' own.
    max_wal_senders: "32",
    max_replication_slots: "32",
    max_worker_processes: "24",
    max_logical_replication_workers: "12",
    // What a dead node costs a transaction that needs it, before it fails. Citus waits for 30 s.
    "citus.node_connection_timeout": "5s",
    // How soon a transaction that was prepared when its coordinator failed is settled; until then its rows stay locked. Citus: 60 s.
    "citus.recover_2pc_interval": "10s",
    // After how long a statement on many shards opens one more connection to a node, which costs a process and a handshake of certificates
    // and is closed after the transaction. Citus waits for 10 ms; tried on two cores, with 50 ms updates of two shards are 2.4 times as
    // many and a count over 32 shards takes a third of the time. What runs for longer gets its connections all the same.
    "citus.executor_slow_start_interval": "50ms",
    // Slots that clients cannot take, so that moves, metadata and failovers go on. On a worker there are no clients. As many may go to a
    // node: by Citus' own default, `max_connections`, a worker of the same size would have no slot left for its Patroni.
    ...(role === "coordinator" && {
      "citus.max_client_connections": String(Math.max(10, connections - 15)),
      "citus.max_shared_pool_size": String(Math.max(10, connections - 15)),
    }),
  };
}

/** What nobody may change. */
export const CITUS_MANDATORY: Readonly<Record<string, Mandatory>> = {
  "citus.node_conninfo": {
    // A connection to a node that is silent breaks after 5 s with something sent, as long as `citus.node_connection_timeout` waits for a
    // new one, and after 25 s with nothing to send; by the defaults of the kernel (tcp(7)) after 15 minutes and two hours.
    value:
      "sslmode=verify-full sslrootcert=/secrets/tls/ca.crt sslcert=/secrets/tls/tls.crt sslkey=/secrets/tls/tls.key " +
      "keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=5000",
    why: "nodes know each other by certificates, verify them in full, and notice when one is gone",
  },
  "citus.enable_statistics_collection": { value: "off", why: "a database tells nobody about itself unasked" },
};

/** What Patroni sets. */
export const CITUS_MANAGED: readonly string[] = ["citus.local_hostname"];
