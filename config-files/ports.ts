import ports from "./port-numbers.json";

/**
 * Ports inside the cluster; each program has its usual one. The numbers stand in port-numbers.json and nowhere else: the scripts in the images read
 * them there, too (ports.py).
 */
export const PORTS: Ports = ports;

interface Ports {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly postgres: number;
  readonly patroniRest: number;
  readonly pool: number;
  /** Beside a pool: tells the entry whether it takes new sessions. */
  readonly poolAgent: number;
  /** Inside a pool: where PgBouncer asks for addresses. */
  readonly poolResolver: number;
  /** HAProxy: pooled endpoints, endpoints past the pool, the statistics page. */
  readonly write: number;
  readonly read: number;
  readonly directWrite: number;
  readonly directRead: number;
  readonly statistics: number;
}
