-- Vectors in a distributed database: a table spread over the worker groups, an HNSW index on each of its shards, k-nearest search.
-- make psql ROLE=dpg_cluster < docs/examples/vectors.sql
-- Needs the extension: `patroni: {extensions: [vector]}` in the stack's settings, which puts it on every node.

CREATE TABLE items (
  id bigint PRIMARY KEY,
  kind int NOT NULL,
  embedding vector(32) NOT NULL
);
SELECT create_distributed_table('items', 'id');

-- Sample data: 20,000 vectors around fifty centres.
INSERT INTO items
SELECT i, i % 50, (
  SELECT array_agg(sin((i % 50 + 1) * d * 1.7) + 0.5 * sin(i * d * 0.37) + 0.2 * random())
  FROM generate_series(1, 32) d
)::vector
FROM generate_series(1, 20000) i;

-- One index a shard, built where the shard lies. A build holds its graph in maintenance_work_mem; beyond that it gets slow.
CREATE INDEX items_embedding ON items USING hnsw (embedding vector_l2_ops);

-- The ten nearest: every shard gives its ten by its index, the coordinator merges. hnsw.ef_search (40) is how many candidates a shard
-- looks at: more of them find more of the true neighbours and take longer.
SELECT embedding AS wanted FROM items WHERE id = 4711 \gset
SELECT id, kind FROM items ORDER BY embedding <-> :'wanted' LIMIT 10;
