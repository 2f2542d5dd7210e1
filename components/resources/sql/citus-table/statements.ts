/** Statements about one table, for the coordinator. https://docs.citusdata.com/en/stable/develop/api_udf.html */

/** Parameter $1: the table's name, with its schema. One row; `kind` is null for a table that Citus does not manage. */
export const readTableStatement = (): string => `SELECT pg_catalog.to_regclass($1) IS NOT NULL AS present,
       t.citus_table_type AS kind, nullif(t.distribution_column, '<none>') AS "column", t.shard_count::int AS "shardCount",
       t.colocation_id::int AS "colocation"
FROM (SELECT) one LEFT JOIN citus_tables t ON t.table_name = pg_catalog.to_regclass($1)`;

/** Parameters: table, column. No row if there is no such column. */
export const readColumnTypeStatement =
  (): string => `SELECT pg_catalog.format_type(atttypid, atttypmod) AS type
FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attname = $2 AND attnum > 0 AND NOT attisdropped`;

/** Parameters: table, column. Unique indexes, including those of constraints, that do not include the column. */
export const readUniqueWithoutStatement = (): string => `SELECT i.indexrelid::regclass::text AS name
FROM pg_catalog.pg_index i
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attname = $2)
ORDER BY 1`;

export const readGroupsStatement = (): string =>
  "SELECT count(*)::int AS groups FROM pg_catalog.pg_dist_node WHERE shouldhaveshards AND noderole = 'primary'";

/** Parameters: table, column, shard count (null: `citus.shard_count`), the table to colocate with (or `default`, `none`). */
export const distributeStatement = (): string =>
  "SELECT pg_catalog.create_distributed_table($1, $2, shard_count := $3::int, colocate_with := $4)";

/** Parameter: table. */
export const referenceStatement = (): string => "SELECT pg_catalog.create_reference_table($1)";

/** Parameters: table, new column, new shard count, new table to colocate with, whether to change colocated tables too; null means no change. */
export const alterStatement = (): string =>
  "SELECT pg_catalog.alter_distributed_table($1, distribution_column := $2, shard_count := $3::int, colocate_with := $4, cascade_to_colocated := $5::boolean)";

/** Parameter: table. */
export const undistributeStatement = (): string => "SELECT pg_catalog.undistribute_table($1)";
