import { PORTS } from "../ports";

/** One etcd member as the others see it. */
export interface EtcdMember {
  readonly name: string;
  readonly address: string;
}

export interface EtcdInput {
  /** Every member, in order. The same for all of them, so that one description serves every replica. */
  readonly members: readonly EtcdMember[];
  /** Told apart by this, two clusters never mix: the cluster's name. */
  readonly clusterToken: string;
  /** How large the database may grow, in MiB. Default 256; Patroni needs about one. */
  readonly quotaMiB?: number;
}

const TLS = "/secrets/tls";

/**
 * What etcd is told, all by environment variables (https://etcd.io/docs/v3.5/op-guide/configuration/). `$(REPLICA_NAME)` and
 * `$(REPLICA_ADDRESS)` are expanded by the platform. None can be changed in a running member.
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
    // `etcd-start` finds out whether it is `new` or `existing`.

    ETCD_LISTEN_CLIENT_URLS: `https://0.0.0.0:${PORTS.etcdClient}`,
    ETCD_ADVERTISE_CLIENT_URLS: `https://$(REPLICA_ADDRESS):${PORTS.etcdClient}`,
    ETCD_LISTEN_PEER_URLS: `https://0.0.0.0:${PORTS.etcdPeer}`,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: `https://$(REPLICA_ADDRESS):${PORTS.etcdPeer}`,

    // Clients prove who they are by user and password over verified TLS. No trusted CA here: with one, etcd demands a client
    // certificate even when told not to, and a certificate's name is no identity through the gateway that Patroni uses
    // (https://github.com/etcd-io/etcd/issues/15945).
    ETCD_CERT_FILE: `${TLS}/tls.crt`,
    ETCD_KEY_FILE: `${TLS}/tls.key`,

    // Peers prove it by certificate. The CA signs for every workload, so a peer must also bear a name that only etcd's own
    // certificate has: the members share one, with the names of all.
    ETCD_PEER_CERT_FILE: `${TLS}/tls.crt`,
    ETCD_PEER_KEY_FILE: `${TLS}/tls.key`,
    ETCD_PEER_TRUSTED_CA_FILE: `${TLS}/ca.crt`,
    ETCD_PEER_CLIENT_CERT_AUTH: "true",
    ETCD_PEER_CERT_ALLOWED_HOSTNAME: first.address,
    // All members share one certificate, so comparing a peer's address with its names proves nothing more, but fails while a name
    // does not resolve yet.
    ETCD_EXPERIMENTAL_PEER_SKIP_CLIENT_SAN_VERIFICATION: "true",

    ETCD_TLS_MIN_VERSION: "TLS1.2",

    // Defaults, written down because Patroni's times rest on them: a lease cannot be shorter than 1.5 elections.
    ETCD_HEARTBEAT_INTERVAL: "100",
    ETCD_ELECTION_TIMEOUT: "1000",
    // A member that asks first whether it would win does not depose a good leader after its network was cut.
    ETCD_PRE_VOTE: "true",
    ETCD_STRICT_RECONFIG_CHECK: "true",
    // The least. Passwords are 32 random characters, which nobody guesses, and every login costs a member this much: a tenth of a second of
    // processor time with the default, 10. Tokens are gone when a member restarts, so all Patronis log in at once, in the moment in which
    // they look for a leader. https://etcd.io/docs/v3.5/op-guide/configuration/#auth
    ETCD_BCRYPT_COST: "4",

    // Patroni writes every second and needs no history: without compaction the quota is full after months, and then nothing can
    // be written at all. https://etcd.io/docs/v3.5/op-guide/maintenance/
    ETCD_AUTO_COMPACTION_MODE: "periodic",
    ETCD_AUTO_COMPACTION_RETENTION: "10m",
    ETCD_QUOTA_BACKEND_BYTES: String((input.quotaMiB ?? 256) * 1024 * 1024),
    ETCD_SNAPSHOT_COUNT: "10000",

    ETCD_LOGGER: "zap",
    ETCD_LOG_LEVEL: "warn",
  };
}
