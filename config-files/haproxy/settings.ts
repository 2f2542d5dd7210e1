/** What may be set at the entry: every setting has a default, and `haproxyProblems` says what is wrong with a value. */

export interface HaproxySettings {
  /**
   * Client connections that one entry takes, all its ports together. More wait in the kernel's queue. Default 4000: HAProxy needs
   * about 35 KB for each. https://docs.haproxy.org/3.0/configuration.html#3.2-maxconn
   */
  readonly maxConnections: number;
  /** Connections that one entry hands to one pool replica; more wait for `queueSeconds`. Default 2000, the pool's own limit. */
  readonly maxConnectionsPerPool: number;
  /** Connections that one entry opens to one database member past the pools, reads that the leader serves among them. Default 10. */
  readonly maxDirectConnections: number;
  /** Connections that one client address may have at a time. Default 2000: everybody behind one NAT gateway is one address. */
  readonly maxConnectionsPerSource: number;
  /**
   * New connections that one client address may make in 10 seconds; more are closed at once. Default 2000. A login costs a pool about
   * 2 ms (TLS and SCRAM), so this is what keeps guessing passwords, or a client that reconnects in a loop, from taking a whole core;
   * 1,000 clients of one host may still connect at once.
   */
  readonly maxConnectionRatePerSource: number;
  /** How long a connection waits for a pool or a member that has room. In seconds, default 10. */
  readonly queueSeconds: number;
  /** How long a direct connection waits when not exactly one member is known to be the leader. In seconds, default 3. */
  readonly leaderWaitSeconds: number;
  /** How long a connection waits when no pool takes new sessions. In seconds, default 2: a new pool is asked twice a second. */
  readonly poolWaitSeconds: number;
  /** How long a session may be silent. In hours, default 24: dead peers are found by TCP keepalive, not by this. */
  readonly idleHours: number;
  /**
   * How long the sessions of a replaced worker may last after a reload; when the entry is stopped, `DRAIN_SECONDS` counts. In seconds,
   * default 3600. A replaced worker checks no server any more, so it would not cut the sessions of a demoted leader.
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

/** The least and the greatest value of each setting. */
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

/** Everything that is wrong with the settings, each with its name, its value and the rule. */
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
