/** The leader's WAL senders. Patroni sets application_name to the member's name. */
export function readReplicasStatement(): string {
  return `SELECT application_name AS name, state, sync_state AS "syncState",
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)::float8 AS "lagBytes"
FROM pg_catalog.pg_stat_replication ORDER BY 1`;
}

export function readStandbyStatement(): string {
  return "SELECT pg_catalog.pg_is_in_recovery() AS standby";
}
