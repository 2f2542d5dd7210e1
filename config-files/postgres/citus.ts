import type { Mandatory } from "./mandatory";

/** PostgreSQL parameters of the groups of a Citus cluster: https://docs.citusdata.com/en/stable/develop/api_guc.html */

/** The roles of nodes: coordinators plan statements, workers hold the shards. */
export type CitusRole = "coordinator" | "worker";

/** Defaults that differ from PostgreSQL's and from our other ones; users may change them. `connections` is `max_connections`. */
export function citusDefaults(role: CitusRole, connections: number): Record<string, string> {
  return {
    // Each connection may have one prepared transaction, plus as many again that a failover has left behind.
    max_prepared_transactions: String(2 * connections),
    // Shard moves use logical replication, each with a slot, a sender and a worker on either side, in addition to the members' own.
    max_wal_senders: "32",
    max_replication_slots: "32",
    max_worker_processes: "24",
    max_logical_replication_workers: "12",
    // How long a transaction that needs a dead node waits before it fails. Citus' default is 30 s.
    "citus.node_connection_timeout": "5s",
    // How soon a transaction that was prepared when its coordinator failed is resolved; until then its rows stay locked. Citus' default is 60 s.
    "citus.recover_2pc_interval": "10s",
    // After this time a statement on many shards opens another connection to a node, which costs a process and a TLS handshake and is closed
    // after the transaction. Citus' default is 10 ms. Measured on two cores with 50 ms: 2.4 times as many updates of two shards, and a count over
    // 32 shards takes a third of the time. Longer statements still get their connections.
    "citus.executor_slow_start_interval": "50ms",
    // Reserves connections that clients cannot use for shard moves, metadata and failovers. Workers have no clients. The same limit applies to
    // connections to a node: with Citus' default, `max_connections`, a worker of the same size would have none left for its Patroni.
    ...(role === "coordinator" && {
      "citus.max_client_connections": String(Math.max(10, connections - 15)),
      "citus.max_shared_pool_size": String(Math.max(10, connections - 15)),
    }),
  };
}

/** Parameters that users cannot override. */
export const CITUS_MANDATORY: Readonly<Record<string, Mandatory>> = {
  "citus.node_conninfo": {
    // A connection to a node that does not answer is closed after 5 s if data is unacknowledged (like `citus.node_connection_timeout` for a new
    // one), and after 25 s if it is idle. By the kernel's defaults (tcp(7)) it would take 15 minutes and two hours.
    value:
      "sslmode=verify-full sslrootcert=/secrets/tls/ca.crt sslcert=/secrets/tls/tls.crt sslkey=/secrets/tls/tls.key " +
      "keepalives_idle=10 keepalives_interval=5 keepalives_count=3 tcp_user_timeout=5000",
    why: "nodes authenticate with certificates, verify each other's, and detect when one is gone",
  },
  "citus.enable_statistics_collection": {
    value: "off",
    why: "a database must not send usage statistics without being asked to",
  },
};

/** Parameters that Patroni sets. */
export const CITUS_MANAGED: readonly string[] = ["citus.local_hostname"];
