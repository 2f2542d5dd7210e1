/** Ports inside the cluster; each program has its usual one. */
export const PORTS = {
  etcdClient: 2379,
  etcdPeer: 2380,
  postgres: 5432,
  patroniRest: 8008,
  pool: 6432,
  /** Beside a pool: tells the entry whether it takes new sessions. */
  poolAgent: 6434,
  /** HAProxy: pooled endpoints, endpoints past the pool, the statistics page. */
  write: 6432,
  read: 6433,
  directWrite: 5432,
  directRead: 5433,
  statistics: 7000,
} as const;
