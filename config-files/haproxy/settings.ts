/** Settings of HAProxy: each has a default, and `haproxyProblems` reports invalid values. */

export interface HaproxySettings {
  /**
   * Client connections per entry, over all ports. Further ones wait in the kernel's queue. Default 4000: HAProxy needs
   * about 35 KB for each. https://docs.haproxy.org/3.0/configuration.html#3.2-maxconn
   */
  readonly maxConnections: number;
  /** Connections from one entry to one pool replica; further ones wait for `queueSeconds`. Default 2000, the pool's own limit. */
  readonly maxConnectionsPerPool: number;
  /** Connections from one entry directly to one database member, including reads that the leader serves. Default 10. */
  readonly maxDirectConnections: number;
  /** Concurrent connections per client address. Default 2000: all clients behind a NAT gateway share one address. */
  readonly maxConnectionsPerSource: number;
  /**
   * New connections per client address within 10 seconds; further ones are closed at once. Default 2000. A login costs a pool about
   * 2 ms (TLS and SCRAM), so this keeps password guessing, or a client that reconnects in a loop, from using a whole core;
   * 1,000 clients of one host may still connect at once.
   */
  readonly maxConnectionRatePerSource: number;
  /** How long a connection waits for a pool or a member below its connection limit. In seconds, default 10. */
  readonly queueSeconds: number;
  /** How long a direct connection waits if not exactly one member is known to be the leader. In seconds, default 3. */
  readonly leaderWaitSeconds: number;
  /** How long a connection waits if no pool accepts new sessions. In seconds, default 2: new pools are checked twice a second. */
  readonly poolWaitSeconds: number;
  /** How long a session may be idle. In hours, default 24: dead peers are detected by TCP keepalive, not by this. */
  readonly idleHours: number;
  /**
   * How long the sessions of the old worker may last after a reload; when the entry is stopped, `DRAIN_SECONDS` counts. In seconds,
   * default 3600. An old worker checks no servers any more, so it would not close the sessions of a demoted leader.
   */
  readonly drainSeconds: number;
}

export const HAPROXY_DEFAULTS: HaproxySettings = {
  maxConnections: 4000,
  maxConnectionsPerPool: 2000,
  maxDirectConnections: 10,
  maxConnectionsPerSource: 2000,
  maxConnectionRatePerSource: 2000,
  queueSeconds: 10,
  leaderWaitSeconds: 3,
  poolWaitSeconds: 2,
  idleHours: 24,
  drainSeconds: 3600,
};

/** Minimum and maximum of each setting. */
const RANGES: Readonly<Record<keyof HaproxySettings, readonly [number, number]>> = {
  maxConnections: [10, 1_000_000],
  maxConnectionsPerPool: [1, 1_000_000],
  maxDirectConnections: [1, 100_000],
  maxConnectionsPerSource: [1, 1_000_000],
  maxConnectionRatePerSource: [1, 1_000_000],
  queueSeconds: [1, 600],
  leaderWaitSeconds: [1, 60],
  poolWaitSeconds: [1, 60],
  idleHours: [1, 24 * 7],
  drainSeconds: [1, 86_400],
};

/** All problems with the settings, each with name, value and rule. */
export function haproxyProblems(settings: Partial<HaproxySettings>): string[] {
  const ranges: Readonly<Record<string, readonly [number, number] | undefined>> = RANGES;
  return Object.entries(settings).flatMap(([name, value]: [string, number | undefined]) => {
    const range = ranges[name];
    if (range === undefined)
      return [`${name}: unknown setting; use one of ${Object.keys(RANGES).join(", ")}`];
    const [least, greatest] = range;
    if (value === undefined) return [];
    return Number.isInteger(value) && value >= least && value <= greatest
      ? []
      : [`${name}: ${value} must be a whole number from ${least} to ${greatest}`];
  });
}
