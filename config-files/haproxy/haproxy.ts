import { haproxy, haproxyWord, type HaproxySection } from "../format/haproxy";
import { HAPROXY_DEFAULTS, haproxyProblems, type HaproxySettings } from "./settings";

/** Something HAProxy sends connections to. */
export interface HaproxyServer {
  /** Shown on the statistics page: the replica's name. */
  readonly name: string;
  /** The DNS name that its certificate is for. */
  readonly address: string;
}

export interface HaproxyInput {
  /** What the entry listens on. `directWrite` and `directRead` go to the database members, past the pools. */
  readonly ports: {
    readonly write: number;
    readonly read: number;
    readonly directWrite: number;
    readonly directRead: number;
    readonly statistics: number;
  };
  /** What the servers listen on. */
  readonly serverPorts: {
    readonly pool: number;
    /** Where a pool says whether it takes new sessions. */
    readonly poolAgent: number;
    readonly postgres: number;
    readonly patroniRest: number;
  };
  readonly writePools: readonly HaproxyServer[];
  readonly readPools: readonly HaproxyServer[];
  readonly members: readonly HaproxyServer[];
  /** How far behind a replica may be and still serve reads, in bytes of WAL. */
  readonly maximumReplicaLagBytes: number;
  readonly settings?: Partial<HaproxySettings>;
}

const CA_FILE = "/secrets/tls/ca.crt";

/**
 * A server that answers is looked at twice a second. The first different answer is followed by the next look after 100 ms (`fastinter`),
 * so two failures in a row (`fall 2`) take 0.1 s more than one, and a single answer that came late on a busy machine cuts nobody off.
 * A leader that dies or is demoted refuses or says 503 at once, so `timeout check` is not what its failover waits for.
 * https://docs.haproxy.org/3.0/configuration.html#5.2-fastinter
 */
const LEADER_CHECK = "inter 500ms fastinter 100ms downinter 200ms rise 1 fall 2";
/** A replica's lag grows slowly, and each look is a TLS handshake that its member pays. A dead one is found by `observe layer4`. */
const REPLICA_CHECK = "inter 1s fastinter 200ms downinter 1s rise 1 fall 2";
/** Three in a row: a pool serves a thousand clients in one thread, and a false alarm would cut all of them off. 0.7 s if it is dead. */
const POOL_CHECK = "inter 500ms fastinter 100ms downinter 200ms rise 1 fall 3";
/**
 * A pool that is to stop says so first, and is sent no new sessions while it keeps those that it has. HAProxy keeps the last word, also over
 * a reload; one that does not answer changes nothing. https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check
 */
const poolAgent = (port: number): string => `agent-check agent-port ${port} agent-inter 500ms`;
/** A refused connection of a client counts as a failed check and brings the next look forward: a dead server is not tried again. */
const OBSERVED = "observe layer4 error-limit 2 on-error fastinter";
/** Without it, sessions of a demoted leader or a dead pool go on until their clients give up. https://docs.haproxy.org/3.0/configuration.html#5.2-on-marked-down */
const CUT = "on-marked-down shutdown-sessions";

const global = (settings: HaproxySettings): HaproxySection => ({
  head: "global",
  lines: [
    "# There is no `log` line: changes of servers are written to the standard error anyway, and sessions are counted in the",
    "# statistics. (Every session of PostgreSQL ends with one side closing first, which HAProxy would log as an error.)",
    `maxconn ${settings.maxConnections}`,
    "# With fewer open files than its connections need it takes fewer of them, and says so, instead of not starting.",
    "no strict-limits",
    `hard-stop-after ${settings.drainSeconds}s`,
    "stats socket /run/haproxy/admin.sock mode 600 level admin",
    "server-state-file /run/haproxy/server-state",
    "ssl-default-server-options ssl-min-ver TLSv1.2",
    "ssl-server-verify required",
    "# Checks of many servers are spread over their interval, so that they do not come in bursts.",
    "spread-checks 20",
  ],
});

const defaults = (settings: HaproxySettings): HaproxySection => ({
  head: "defaults",
  lines: [
    "mode tcp",
    "# One address that drops packets must not hold a client for longer than a second.",
    "timeout connect 1s",
    "timeout check 400ms",
    `timeout queue ${settings.queueSeconds}s`,
    `timeout client ${settings.idleHours}h`,
    `timeout server ${settings.idleHours}h`,
    "timeout client-fin 10s",
    "timeout server-fin 10s",
    "# The next try goes to another server at once instead of to the same one after a second.",
    "retries 3",
    "option redispatch 1",
    "# A peer that vanished without a word is noticed after 30 + 3 * 5 seconds, however long its session may be silent.",
    "option tcpka",
    "clitcpka-idle 30s",
    "clitcpka-intvl 5s",
    "clitcpka-cnt 3",
    "srvtcpka-idle 10s",
    "srvtcpka-intvl 3s",
    "srvtcpka-cnt 3",
    "load-server-state-from-file global",
    "# Names may appear, vanish and change their address while HAProxy runs.",
    "default-server init-addr last,libc,none resolvers names resolve-prefer ipv4 tcp-ut 10s",
  ],
});

/** The container's own name servers: Docker's 127.0.0.11, or the cluster's. Looked up again every second, since a restarted replica may have moved. */
const resolvers: HaproxySection = {
  head: "resolvers names",
  lines: [
    "parse-resolv-conf",
    "accepted_payload_size 8192",
    "resolve_retries 3",
    "timeout resolve 1s",
    "timeout retry 500ms",
    "hold valid 1s",
    "# What an answer no longer has is a replica's address of before: nothing listens there.",
    "hold obsolete 0s",
    "hold nx 10s",
    "# A name server that is away says nothing about the servers. Their checks do, at the addresses that they had.",
    "hold other 1d",
    "hold refused 1d",
    "hold timeout 1d",
  ],
};

const perSource: HaproxySection = {
  head: "backend per-source",
  lines: [
    "# Addresses of clients with their connections, of all frontends together.",
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
      // Asked before the connection is counted, so that refused ones do not count: clients that try again and again still get in.
      `tcp-request connection reject if { src_conn_cur(per-source) ge ${settings.maxConnectionsPerSource} }`,
      `tcp-request connection reject if { src_conn_rate(per-source) ge ${settings.maxConnectionRatePerSource} }`,
      "tcp-request connection track-sc0 src table per-source",
      ...lines,
    ],
  };
}

/**
 * Lets a session through if one of the conditions holds; else it waits, and whether one holds by then decides (tried: HAProxy looks once more,
 * when the time is over). Without `WAIT_END` it would be refused at once, since a number of servers is a value that is known.
 * https://docs.haproxy.org/3.0/configuration.html#7.4-WAIT_END
 */
const waitUntil = (seconds: number, conditions: readonly string[]): string[] => [
  `tcp-request inspect-delay ${seconds}s`,
  ...conditions.map((condition) => `tcp-request content accept if { ${condition} }`),
  "tcp-request content reject if WAIT_END",
];

/**
 * PgBouncer answers `N` to a request for GSSAPI encryption: its only thread is alive, which a connection taken by the kernel does not prove.
 * A request for TLS would do too, but breaking that off is a warning in its log each time.
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
        "# No read pool is left: the write pools serve reads too.",
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
 * The entry's haproxy.cfg: a write and a read port through the pools, a write and a read port past them, a page of statistics.
 * Throws on settings that `haproxyProblems` has something to say about.
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
        "# A pool that has just been replaced takes sessions as soon as it has been asked: one that comes before waits.",
        ...waitUntil(settings.poolWaitSeconds, ["nbsrv(pool-write) ge 1"]),
        "default_backend pool-write",
      ]),
      frontend("read", input.ports.read, settings, [
        ...waitUntil(settings.poolWaitSeconds, ["nbsrv(pool-read) ge 1", "nbsrv(pool-write) ge 1"]),
        "use_backend pool-read-fallback if { nbsrv(pool-read) eq 0 }",
        "default_backend pool-read",
      ]),
      frontend("direct-write", input.ports.directWrite, settings, [
        "# Servers count as good until their first check, and a new leader may be seen before the old one is known to be none.",
        "# So a session waits until exactly one is up, and nobody is sent to a replica for writing.",
        ...waitUntil(settings.leaderWaitSeconds, ["nbsrv(direct-write) eq 1"]),
        "default_backend direct-write",
      ]),
      frontend("direct-read", input.ports.directRead, settings, [
        "# No replica is left that may serve reads: the leader does, within the same number of connections.",
        "use_backend direct-write if { nbsrv(direct-read) eq 0 }",
        "default_backend direct-read",
      ]),
      ...pools(input, settings),
      ...direct(input, settings),
      statistics(input),
    ],
    ["Written by config-files/haproxy/haproxy.ts; why each setting is what it is stands in haproxy.md."],
  );
}
