import ports from "./port-numbers.json";

/**
 * Ports inside the cluster; each program has its usual one. The numbers are only in port-numbers.json, which the scripts in the images read, too
 * (ports.py).
 */
export const PORTS: Ports = ports;

interface Ports {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly postgres: number;
  readonly patroniRest: number;
  readonly pool: number;
  /** Beside a pool: reports to HAProxy whether the pool accepts new sessions. */
  readonly poolAgent: number;
  /** Inside a pool: the follower's name server for PgBouncer. */
  readonly poolResolver: number;
  /** HAProxy: pooled endpoints, endpoints past the pool, the statistics page. */
  readonly write: number;
  readonly read: number;
  readonly directWrite: number;
  readonly directRead: number;
  readonly statistics: number;
}
