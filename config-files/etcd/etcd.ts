import { PORTS } from "../ports";

/** One etcd member as the others see it. */
export interface EtcdMember {
  readonly name: string;
  readonly address: string;
}

export interface EtcdInput {
  /** All members, in order. The same for every member, so that all replicas share one configuration. */
  readonly members: readonly EtcdMember[];
  /** The cluster's name. It keeps members of different clusters from connecting to each other. */
  readonly clusterToken: string;
  /** Maximum size of the database, in MiB. Patroni needs about one. */
  readonly quotaMiB: number;
}

const TLS = "/secrets/tls";

/**
 * etcd's configuration, as environment variables (https://etcd.io/docs/v3.5/op-guide/configuration/). `$(REPLICA_NAME)` and
 * `$(REPLICA_ADDRESS)` are expanded by the platform. Any change needs a restart.
 */
export function etcdEnvironment(input: EtcdInput): Record<string, string> {
  const [first] = input.members;
  if (!first) throw new Error("an etcd cluster has at least one member");
  return {
    ETCD_NAME: "$(REPLICA_NAME)",
    ETCD_DATA_DIR: "/var/lib/etcd/data",
    ETCD_INITIAL_CLUSTER: input.members
      .map(({ name, address }) => `${name}=https://${address}:${PORTS.etcdPeer}`)
      .join(","),
    ETCD_INITIAL_CLUSTER_TOKEN: input.clusterToken,
    // `etcd-start` sets ETCD_INITIAL_CLUSTER_STATE to `new` or `existing`.

    ETCD_LISTEN_CLIENT_URLS: `https://0.0.0.0:${PORTS.etcdClient}`,
    ETCD_ADVERTISE_CLIENT_URLS: `https://$(REPLICA_ADDRESS):${PORTS.etcdClient}`,
    ETCD_LISTEN_PEER_URLS: `https://0.0.0.0:${PORTS.etcdPeer}`,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: `https://$(REPLICA_ADDRESS):${PORTS.etcdPeer}`,

    // Clients authenticate by user and password over verified TLS. No trusted CA here: with one, etcd demands a client
    // certificate even when configured not to, and the gRPC gateway that Patroni uses does not support certificate users
    // (https://github.com/etcd-io/etcd/issues/15945).
    ETCD_CERT_FILE: `${TLS}/tls.crt`,
    ETCD_KEY_FILE: `${TLS}/tls.key`,

    // Peers authenticate by certificate. The CA signs for every workload, so a peer must also have a name that only etcd's own
    // certificate contains: the members share one, with the names of all.
    ETCD_PEER_CERT_FILE: `${TLS}/tls.crt`,
    ETCD_PEER_KEY_FILE: `${TLS}/tls.key`,
    ETCD_PEER_TRUSTED_CA_FILE: `${TLS}/ca.crt`,
    ETCD_PEER_CLIENT_CERT_AUTH: "true",
    ETCD_PEER_CERT_ALLOWED_HOSTNAME: first.address,
    // Because of the shared certificate, comparing a peer's address with its names proves nothing, but it fails while a name
    // does not resolve yet.
    ETCD_EXPERIMENTAL_PEER_SKIP_CLIENT_SAN_VERIFICATION: "true",

    ETCD_TLS_MIN_VERSION: "TLS1.2",

    // The defaults, made explicit because Patroni's timing depends on them: a lease cannot be shorter than 1.5 election timeouts.
    ETCD_HEARTBEAT_INTERVAL: "100",
    ETCD_ELECTION_TIMEOUT: "1000",
    // With pre-vote a member that was partitioned does not disrupt a healthy leader when it comes back.
    ETCD_PRE_VOTE: "true",
    ETCD_STRICT_RECONFIG_CHECK: "true",
    // The minimum. Passwords are 32 random characters, so a cheap hash is safe, and every login pays for it: a tenth of a second of
    // CPU time with the default, 10. Tokens are lost when a member restarts, so all Patronis log in at the same time, just when
    // they elect a leader. https://etcd.io/docs/v3.5/op-guide/configuration/#auth
    ETCD_BCRYPT_COST: "4",

    // Patroni writes every second and needs no history: without compaction the quota is exhausted after months, and then nothing can
    // be written at all. https://etcd.io/docs/v3.5/op-guide/maintenance/
    ETCD_AUTO_COMPACTION_MODE: "periodic",
    ETCD_AUTO_COMPACTION_RETENTION: "10m",
    ETCD_QUOTA_BACKEND_BYTES: String(input.quotaMiB * 1024 * 1024),
    ETCD_SNAPSHOT_COUNT: "10000",

    ETCD_LOGGER: "zap",
    ETCD_LOG_LEVEL: "warn",
  };
}
