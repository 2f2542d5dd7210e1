import { haproxy, haproxyWord, type HaproxySection } from "../format/haproxy";
import { HAPROXY_DEFAULTS, haproxyProblems, type HaproxySettings } from "./settings";

/** A server that HAProxy sends connections to. */
export interface HaproxyServer {
  /** The replica's name, shown on the statistics page. */
  readonly name: string;
  /** The DNS name in its certificate. */
  readonly address: string;
}

export interface HaproxyInput {
  /** The ports that the entry listens on. `directWrite` and `directRead` lead to the database members, past the pools. */
  readonly ports: {
    readonly write: number;
    readonly read: number;
    readonly directWrite: number;
    readonly directRead: number;
    readonly statistics: number;
  };
  /** The ports that the servers listen on. */
  readonly serverPorts: {
    readonly pool: number;
    /** The port on which a pool reports whether it accepts new sessions. */
    readonly poolAgent: number;
    readonly postgres: number;
    readonly patroniRest: number;
  };
  readonly writePools: readonly HaproxyServer[];
  readonly readPools: readonly HaproxyServer[];
  readonly members: readonly HaproxyServer[];
  /** How far a replica may lag and still serve reads, in bytes of WAL. */
  readonly maximumReplicaLagBytes: number;
  readonly settings?: Partial<HaproxySettings>;
}

const CA_FILE = "/secrets/tls/ca.crt";

/**
 * A server is checked twice a second. After a different result the next check follows in 100 ms (`fastinter`), so two failures in a row
 * (`fall 2`) take only 0.1 s longer than one, and a single late answer on a busy machine disconnects nobody.
 * A leader that dies or is demoted refuses the connection or answers 503 at once, so its failover does not wait for `timeout check`.
 * https://docs.haproxy.org/3.0/configuration.html#5.2-fastinter
 */
const LEADER_CHECK = "inter 500ms fastinter 100ms downinter 200ms rise 1 fall 2";
/** A replica's lag grows slowly, and each check costs its member a TLS handshake. A dead replica is detected by `observe layer4`. */
const REPLICA_CHECK = "inter 1s fastinter 200ms downinter 1s rise 1 fall 2";
/** Three in a row: a pool serves a thousand clients in one thread, and a false alarm would disconnect all of them. 0.7 s if it is dead. */
const POOL_CHECK = "inter 500ms fastinter 100ms downinter 200ms rise 1 fall 3";
/**
 * A pool that is about to stop reports it first, and gets no new sessions while it keeps existing ones. HAProxy keeps the last state, even
 * across a reload; no answer changes nothing. https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check
 */
const poolAgent = (port: number): string => `agent-check agent-port ${port} agent-inter 500ms`;
/** A client's refused connection counts as a failed check and brings the next check forward: a dead server is not tried again. */
const OBSERVED = "observe layer4 error-limit 2 on-error fastinter";
/** Without it, sessions of a demoted leader or a dead pool continue until their clients give up. https://docs.haproxy.org/3.0/configuration.html#5.2-on-marked-down */
const CUT = "on-marked-down shutdown-sessions";

const global = (settings: HaproxySettings): HaproxySection => ({
  head: "global",
  lines: [
    "# There is no `log` line: changes of server states are written to standard error anyway, and sessions are counted in the",
    "# statistics. (At the end of every PostgreSQL session one side closes first, which HAProxy would log as an error.)",
    `maxconn ${settings.maxConnections}`,
    "# If the limit of open files is too low, accept fewer connections and log it, instead of failing to start.",
    "no strict-limits",
    `hard-stop-after ${settings.drainSeconds}s`,
    "stats socket /run/haproxy/admin.sock mode 600 level admin",
    "server-state-file /run/haproxy/server-state",
    "ssl-default-server-options ssl-min-ver TLSv1.2",
    "ssl-server-verify required",
    "# Checks of many servers are spread over the interval to avoid bursts.",
    "spread-checks 20",
  ],
});

const defaults = (settings: HaproxySettings): HaproxySection => ({
  head: "defaults",
  lines: [
    "mode tcp",
    "# An address that drops packets must not delay a client by more than a second.",
    "timeout connect 1s",
    "timeout check 400ms",
    `timeout queue ${settings.queueSeconds}s`,
    `timeout client ${settings.idleHours}h`,
    `timeout server ${settings.idleHours}h`,
    "timeout client-fin 10s",
    "timeout server-fin 10s",
    "# The next attempt goes to another server at once, instead of to the same one after a second.",
    "retries 3",
    "option redispatch 1",
    "# A peer that is silently gone is noticed after 30 + 3 * 5 seconds, however long its session may be idle.",
    "option tcpka",
    "clitcpka-idle 30s",
    "clitcpka-intvl 5s",
    "clitcpka-cnt 3",
    "srvtcpka-idle 10s",
    "srvtcpka-intvl 3s",
    "srvtcpka-cnt 3",
    "load-server-state-from-file global",
    "# Names may appear, disappear and change their address while HAProxy runs.",
    "default-server init-addr last,libc,none resolvers names resolve-prefer ipv4 tcp-ut 10s",
  ],
});

/** The container's own name servers: Docker's 127.0.0.11, or the cluster's. Resolved again every second, because a restarted replica may have a new address. */
const resolvers: HaproxySection = {
  head: "resolvers names",
  lines: [
    "parse-resolv-conf",
    "accepted_payload_size 8192",
    "resolve_retries 3",
    "timeout resolve 1s",
    "timeout retry 500ms",
    "hold valid 1s",
    "# An address that is no longer in the answer is a replica's former one: nothing listens there.",
    "hold obsolete 0s",
    "hold nx 10s",
    "# An unreachable name server says nothing about the servers. Their checks do, at the last known addresses.",
    "hold other 1d",
    "hold refused 1d",
    "hold timeout 1d",
  ],
};

const perSource: HaproxySection = {
  head: "backend per-source",
  lines: [
    "# Client addresses with their connections, over all frontends.",
    "stick-table type ipv6 size 100k expire 60s store conn_cur,conn_rate(10s)",
  ],
};

function frontend(
  name: string,
  port: number,
  settings: HaproxySettings,
  lines: readonly string[],
): HaproxySection {
  return {
    head: `frontend ${name}`,
    lines: [
      `bind :::${port} v4v6 tcp-ut 10s`,
      `maxconn ${settings.maxConnections}`,
      // Checked before the connection is counted, so that rejected ones do not count: clients that keep retrying still get in.
      `tcp-request connection reject if { src_conn_cur(per-source) ge ${settings.maxConnectionsPerSource} }`,
      `tcp-request connection reject if { src_conn_rate(per-source) ge ${settings.maxConnectionRatePerSource} }`,
      "tcp-request connection track-sc0 src table per-source",
      ...lines,
    ],
  };
}

/**
 * Accepts a session if one of the conditions holds; otherwise it waits, and the conditions at the end of the delay decide (tried: HAProxy
 * evaluates them once more). Without `WAIT_END` it would be rejected at once, because the number of servers is always known.
 * https://docs.haproxy.org/3.0/configuration.html#7.4-WAIT_END
 */
const waitUntil = (seconds: number, conditions: readonly string[]): string[] => [
  `tcp-request inspect-delay ${seconds}s`,
  ...conditions.map((condition) => `tcp-request content accept if { ${condition} }`),
  "tcp-request content reject if WAIT_END",
];

/**
 * PgBouncer answers `N` to a GSSAPI encryption request. That proves that its only thread is alive, unlike a connection that the kernel accepts.
 * A TLS request would also work, but aborting it writes a warning to PgBouncer's log each time.
 * https://www.postgresql.org/docs/17/protocol-message-formats.html (GSSENCRequest)
 */
const POOL_HANDSHAKE = [
  "option tcp-check",
  "tcp-check connect",
  "tcp-check send-binary 0000000804d21630",
  "tcp-check expect string N",
];

const patroniCheck = (uri: string): string[] => [
  "option httpchk",
  `http-check send meth OPTIONS uri ${haproxyWord(uri)}`,
  "http-check expect status 200",
];

const patroniServer = (input: HaproxyInput, limit: number) => (server: HaproxyServer) => {
  const address = haproxyWord(server.address);
  return (
    `server ${haproxyWord(server.name)} ${address}:${input.serverPorts.postgres} maxconn ${limit} check port ${input.serverPorts.patroniRest}` +
    ` check-ssl verify required ca-file ${CA_FILE} verifyhost ${address} check-sni ${address}`
  );
};

const tracked = (limit: number, backend: string, port: number) => (server: HaproxyServer) =>
  `server ${haproxyWord(server.name)} ${haproxyWord(server.address)}:${port} maxconn ${limit} track ${backend}/${haproxyWord(server.name)}`;

function pools(input: HaproxyInput, settings: HaproxySettings): HaproxySection[] {
  const port = input.serverPorts.pool;
  const own = (server: HaproxyServer) =>
    `server ${haproxyWord(server.name)} ${haproxyWord(server.address)}:${port} maxconn ${settings.maxConnectionsPerPool} check`;
  const common = [
    "balance leastconn",
    `default-server ${POOL_CHECK} ${poolAgent(input.serverPorts.poolAgent)} ${CUT} ${OBSERVED}`,
    ...POOL_HANDSHAKE,
  ];
  return [
    { head: "backend pool-write", lines: [...common, ...input.writePools.map(own)] },
    { head: "backend pool-read", lines: [...common, ...input.readPools.map(own)] },
    {
      head: "backend pool-read-fallback",
      lines: [
        "# No read pool is left: the write pools serve reads, too.",
        "balance leastconn",
        `default-server ${CUT}`,
        ...input.writePools.map(tracked(settings.maxConnectionsPerPool, "pool-write", port)),
      ],
    },
  ];
}

function direct(input: HaproxyInput, settings: HaproxySettings): HaproxySection[] {
  const limit = settings.maxDirectConnections;
  return [
    {
      head: "backend direct-write",
      lines: [
        `default-server ${LEADER_CHECK} ${CUT}`,
        ...patroniCheck("/primary"),
        ...input.members.map(patroniServer(input, limit)),
      ],
    },
    {
      head: "backend direct-read",
      lines: [
        "balance leastconn",
        `default-server ${REPLICA_CHECK} ${CUT} ${OBSERVED}`,
        ...patroniCheck(`/replica?lag=${input.maximumReplicaLagBytes}`),
        ...input.members.map(patroniServer(input, limit)),
      ],
    },
  ];
}

const statistics = (input: HaproxyInput): HaproxySection => ({
  head: "frontend statistics",
  lines: [
    `bind :::${input.ports.statistics} v4v6`,
    "mode http",
    "timeout client 10s",
    "maxconn 100",
    "monitor-uri /health",
    "http-request use-service prometheus-exporter if { path /metrics }",
    "stats enable",
    "stats uri /",
    "stats refresh 5s",
    "stats hide-version",
    "stats show-legends",
  ],
});

/**
 * The entry's haproxy.cfg: a write and a read port through the pools, a write and a read port past them, and a statistics page.
 * Throws if `haproxyProblems` finds a problem with the settings.
 */
export function haproxyCfg(input: HaproxyInput): string {
  const problems = haproxyProblems(input.settings ?? {});
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const settings: HaproxySettings = { ...HAPROXY_DEFAULTS, ...input.settings };
  return haproxy(
    [
      global(settings),
      defaults(settings),
      resolvers,
      perSource,
      frontend("write", input.ports.write, settings, [
        "# A pool that was just replaced gets sessions once it has been checked: sessions that come earlier wait.",
        ...waitUntil(settings.poolWaitSeconds, ["nbsrv(pool-write) ge 1"]),
        "default_backend pool-write",
      ]),
      frontend("read", input.ports.read, settings, [
        ...waitUntil(settings.poolWaitSeconds, ["nbsrv(pool-read) ge 1", "nbsrv(pool-write) ge 1"]),
        "use_backend pool-read-fallback if { nbsrv(pool-read) eq 0 }",
        "default_backend pool-read",
      ]),
      frontend("direct-write", input.ports.directWrite, settings, [
        "# Servers count as up until their first check, and a new leader may be detected before the old one's demotion.",
        "# So a session waits until exactly one server is up, and no writing session is sent to a replica.",
        ...waitUntil(settings.leaderWaitSeconds, ["nbsrv(direct-write) eq 1"]),
        "default_backend direct-write",
      ]),
      frontend("direct-read", input.ports.directRead, settings, [
        "# No replica can serve reads: the leader does, within its connection limit.",
        "use_backend direct-write if { nbsrv(direct-read) eq 0 }",
        "default_backend direct-read",
      ]),
      ...pools(input, settings),
      ...direct(input, settings),
      statistics(input),
    ],
    ["Written by config-files/haproxy/haproxy.ts; the reason for each setting is in haproxy.md."],
  );
}
