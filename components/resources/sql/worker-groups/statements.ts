/** Statements about the nodes, for the coordinator. https://docs.citusdata.com/en/stable/develop/api_metadata.html */

/** All nodes except the coordinators. */
export const readNodesStatement =
  (): string => `SELECT groupid AS "group", nodename AS host, nodeport AS port,
       noderole::text AS role, isactive AS active, metadatasynced AS synced, shouldhaveshards AS shards
FROM pg_catalog.pg_dist_node WHERE groupid > 0 ORDER BY groupid, noderole, nodename`;

/** Number of shards and their bytes, by group, without reference tables, which every node has. */
export const readShardsStatement =
  (): string => `SELECT p.groupid AS "group", count(*)::int AS shards, coalesce(sum(s.shard_size), 0)::float8 AS bytes
FROM pg_catalog.pg_dist_placement p
JOIN pg_catalog.pg_dist_shard d USING (shardid)
JOIN pg_catalog.pg_dist_partition t ON t.logicalrelid = d.logicalrelid
LEFT JOIN (SELECT shardid, nodename, nodeport, shard_size FROM citus_shards) s ON s.shardid = p.shardid
WHERE NOT (t.partmethod = 'n' AND t.repmodel = 't') GROUP BY p.groupid ORDER BY p.groupid`;

/** The moves that Citus would make now. Parameter $1: only drain nodes with `shouldhaveshards = false`. */
export const readPlanStatement =
  (): string => `SELECT p.sourcename AS source, p.targetname AS target, count(DISTINCT p.shardid)::int AS shards,
       coalesce(sum(s.shard_size), 0)::float8 AS bytes
FROM pg_catalog.get_rebalance_table_shards_plan(drain_only := $1) p
LEFT JOIN citus_shards s ON s.shardid = p.shardid AND s.nodename = p.sourcename AND s.nodeport = p.sourceport
GROUP BY 1, 2 ORDER BY 1, 2`;

/** Free and total disk space of each worker, in bytes. */
export const readSpaceStatement =
  (): string => `SELECT nodename AS host, split_part(result, ' ', 1)::float8 AS free, split_part(result, ' ', 2)::float8 AS total
FROM pg_catalog.run_command_on_workers($$SELECT available_disk_size || ' ' || total_disk_size FROM pg_catalog.citus_local_disk_space_stats()$$)
WHERE success`;

/** Percentage of disk space that Citus requires to be free after a move. A move that would leave less starts and then fails. */
export const readLeastFreeStatement =
  (): string => `SELECT CASE WHEN current_setting('citus.check_available_space_before_move')::boolean
  THEN current_setting('citus.desired_percent_disk_available_after_move')::float8 ELSE 0 END AS percent`;

/** Parameters: host, port, whether the node may have shards. */
export const setShardsStatement = (): string =>
  "SELECT pg_catalog.citus_set_node_property($1::text, $2::int, 'shouldhaveshards', $3::boolean)";

/** Parameter $1: only drain nodes with `shouldhaveshards = false`. Null if there is nothing to move. */
export const startRebalanceStatement = (): string =>
  "SELECT pg_catalog.citus_rebalance_start(drain_only := $1)::text AS job";

/** The running or the last job; no row if there has been none. */
export const readJobStatement = (): string => `SELECT job_id::text AS job, state::text
FROM pg_catalog.pg_dist_background_job WHERE job_type = 'rebalance' ORDER BY job_id DESC LIMIT 1`;

/** All moves of a job. Parameter $1: the job. */
export const readTasksStatement =
  (): string => `SELECT task_id::text AS task, status::text AS state, coalesce(retry_count, 0) AS failures, coalesce(message, '') AS message
FROM pg_catalog.pg_dist_background_task WHERE job_id = $1::bigint ORDER BY task_id`;

/** Bytes of each move of a job, including colocated shards, which move together. Queries every node. Parameter $1: the job. */
export const readTaskSizesStatement =
  (): string => `SELECT t.task_id::text AS task, sum(s.bytes)::float8 AS bytes
FROM pg_catalog.pg_dist_background_task t
JOIN pg_catalog.pg_dist_shard moved ON moved.shardid = substring(t.command FROM 'citus_move_shard_placement\\((\\d+),')::bigint
JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = moved.logicalrelid
JOIN pg_catalog.pg_dist_partition q ON q.logicalrelid = p.logicalrelid OR q.colocationid = p.colocationid AND p.colocationid > 0
JOIN pg_catalog.pg_dist_shard d ON d.logicalrelid = q.logicalrelid AND d.shardminvalue IS NOT DISTINCT FROM moved.shardminvalue
JOIN (SELECT shardid, max(shard_size) AS bytes FROM citus_shards GROUP BY shardid) s ON s.shardid = d.shardid
WHERE t.job_id = $1::bigint GROUP BY t.task_id`;

/** Bytes copied by running moves. */
export const readCopiedStatement =
  (): string => `SELECT coalesce(sum(least(target_shard_size, source_shard_size)), 0)::float8 AS bytes
FROM pg_catalog.get_rebalance_progress() WHERE progress = 1`;

/** Pairs of nodes where the first cannot connect to the second. */
export const readHealthStatement = (): string => `SELECT from_nodename AS "from", to_nodename AS "to"
FROM pg_catalog.citus_check_cluster_node_health() WHERE result IS NOT TRUE ORDER BY 1, 2`;

export const settlePreparedStatement = (): string => "SELECT pg_catalog.recover_prepared_transactions()";

/** Prepared transactions of Citus, in all databases. */
export const readPreparedStatement = (): string =>
  "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE gid LIKE 'citus%' ORDER BY gid";

/** Parameters: host, port, group. Fails and adds nothing if the node cannot be reached or cannot become a worker. */
export const addNodeStatement = (): string => "SELECT pg_catalog.citus_add_node($1::text, $2::int, $3::int)";

/** Runs one statement on a node, as the superuser that the nodes use among themselves. Parameters: host, port, statement. */
export const runOnNodeStatement = (): string =>
  "SELECT success, result FROM pg_catalog.master_run_on_worker(ARRAY[$1::text], ARRAY[$2::int], ARRAY[$3::text], false)";

/** Parameters: host, port. */
export const removeNodeStatement = (): string => "SELECT pg_catalog.citus_remove_node($1::text, $2::int)";

export const readRecoveryIntervalStatement = (): string =>
  "SELECT pg_catalog.current_setting('citus.recover_2pc_interval') AS interval";

export const readStandbyStatement = (): string => "SELECT pg_catalog.pg_is_in_recovery() AS standby";

/** The file in a data volume that marks its member as removed from the cluster. */
export const REMOVED_MARK = "removed";

/** Writes the file that makes the member refuse to start again. Also works on a standby, because it accesses no table. */
export const markRemovedStatement = (): string =>
  `COPY (SELECT 'removed from its cluster at ' || pg_catalog.now()) TO '/var/lib/postgresql/${REMOVED_MARK}'`;

/**
 * Sends SIGTERM to the container's process 1 for an orderly stop, as the platform would. This ends the session. `cat` reads COPY's output:
 * if the program exited before, the statement could fail with a broken pipe.
 */
export const stopMemberStatement = (): string => "COPY (SELECT) TO PROGRAM 'cat > /dev/null && kill -TERM 1'";
