import { yaml, type YamlValue } from "../format/yaml";
import { PORTS } from "../ports";
import { hbaLines, identLines, REPLICATION_ROLE, REWIND_ROLE, SUPERUSER } from "../postgres/access";
import type { PostgresWishes } from "../postgres/wishes";
import { VERSIONS } from "../versions";
import {
  bootstrapMethod,
  guestDynamics,
  hookCommands,
  type PatroniWishes,
  postInit,
  replicaMethods,
} from "./guests";

const TLS = {
  ca: "/secrets/tls/ca.crt",
  certificate: "/secrets/tls/tls.crt",
  key: "/secrets/tls/tls.key",
} as const;

/** The user of Patroni's REST API, for what changes something. Reading needs none. */
export const REST_USER = "patroni";

/** The place of a group in a Citus cluster. https://patroni.readthedocs.io/en/latest/citus.html */
export interface CitusGroup {
  /** 0 is the coordinator's; a worker's number is its own for ever. */
  readonly number: number;
  /** The database that is distributed; Patroni makes it, with the extension, on every group. */
  readonly database: string;
}

/**
 * The watchdog of a leader, in seconds. It must outlive what a leader without etcd does by itself: `loop_wait + 2 * retry_timeout` until it gives
 * up, and the stop. It must have killed before the lease ends.
 */
export const WATCHDOG = {
  /** From the watchdog's end to the lease's: a machine that is slow to kill, clocks that differ. Patroni's own default. */
  margin: 5,
  /** Until no session of a client is left: while nobody renews the lease, the pools are held for at most 3 s, then sessions are ended. */
  stop: 5,
} as const;

/** What every member's Patroni is told: the same text for all of them, no secret in it. */
export interface PatroniInput {
  /** Patroni's name for the cluster: its keys in etcd lie below `/service/<scope>/`. */
  readonly scope: string;
  readonly etcd: {
    /** `host:port` of every etcd member. */
    readonly endpoints: readonly string[];
    readonly username: string;
  };
  readonly citus?: CitusGroup;
  /** Default none. */
  readonly guests?: readonly PatroniWishes[];
}

/**
 * `/etc/patroni/cluster.yml`. Name and addresses of a member come from its environment (PATRONI_NAME,
 * PATRONI_RESTAPI_CONNECT_ADDRESS, PATRONI_POSTGRESQL_CONNECT_ADDRESS).
 * https://patroni.readthedocs.io/en/latest/yaml_configuration.html
 */
export function patroniYml(input: PatroniInput): string {
  const { guests = [] } = input;
  const asNode = { sslmode: "verify-full", sslrootcert: TLS.ca, sslcert: TLS.certificate, sslkey: TLS.key };
  return yaml(
    {
      scope: input.scope,
      namespace: "/service/",
      ...(input.citus && { citus: { group: input.citus.number, database: input.citus.database } }),
      // Once a second the same line otherwise.
      log: {
        level: "INFO",
        format: "%(asctime)s %(levelname)s: %(message)s",
        deduplicate_heartbeat_logs: true,
      },
      restapi: {
        listen: `0.0.0.0:${PORTS.patroniRest}`,
        certfile: TLS.certificate,
        keyfile: TLS.key,
        cafile: TLS.ca,
        // Proxies, probes and pools read; what changes something needs the password of 30-secrets.yml.
        verify_client: "none",
        server_tokens: "ProductOnly",
      },
      ctl: { cacert: TLS.ca, insecure: false },
      // Its other end is process 1 of the container. A member that nobody watches does not lead.
      watchdog: { mode: "required", driver: "supervise", safety_margin: WATCHDOG.margin },
      etcd3: {
        protocol: "https",
        hosts: [...input.etcd.endpoints],
        cacert: TLS.ca,
        username: input.etcd.username,
      },
      postgresql: {
        listen: `*:${PORTS.postgres}`,
        data_dir: "/var/lib/postgresql/data",
        bin_dir: `/usr/lib/postgresql/${VERSIONS.postgres}/bin`,
        pgpass: "/run/patroni/pgpass",
        // Over the socket the kernel says who it is; over TCP Patroni would need to be let in from localhost.
        use_unix_socket: true,
        use_unix_socket_repl: true,
        authentication: {
          superuser: { username: SUPERUSER, ...asNode },
          replication: { username: REPLICATION_ROLE, ...asNode },
          rewind: { username: REWIND_ROLE, ...asNode },
        },
        parameters: { unix_socket_directories: "/run/postgresql" },
        // Without it a new replica waits for the leader's next spread checkpoint, up to 4.5 minutes.
        basebackup: [{ checkpoint: "fast" }],
        ...replicaMethods(guests),
        ...hookCommands(guests),
        pg_ctl_timeout: 60,
      },
    },
    ["Patroni, the same for every member. Which setting does what: config-files/patroni/patroni.md"],
  );
}

export interface PatroniSecrets {
  /** Default `patroni`. */
  readonly restUsername?: string;
  /** For everything in the REST API that changes something. */
  readonly restPassword: string;
  readonly etcdPassword: string;
  /** Where it is another one than `cluster.yml` says. */
  readonly etcdUsername?: string;
}

/** `/secrets/patroni/patroni.yml`, merged over `cluster.yml`. A change is taken over by a reload. */
export function patroniSecretsYml(secrets: PatroniSecrets): string {
  return yaml({
    restapi: {
      authentication: { username: secrets.restUsername ?? REST_USER, password: secrets.restPassword },
    },
    etcd3: {
      ...(secrets.etcdUsername !== undefined && { username: secrets.etcdUsername }),
      password: secrets.etcdPassword,
    },
  });
}

/** What the DCS holds for all members, and every member takes over within `loopWaitSeconds`. */
export interface DynamicInput {
  readonly synchronous: "quorum" | "strict";
  /** How many standbys must hold a transaction before it is acknowledged. */
  readonly synchronousReplicas: number;
  readonly timing: {
    readonly ttlSeconds: number;
    readonly loopWaitSeconds: number;
    readonly retryTimeoutSeconds: number;
  };
  /** As `resolveParameters` returns them. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly citus?: CitusGroup;
  /** Networks (CIDR) from which the superuser's password is good, besides the member itself. Default none. */
  readonly directFrom?: readonly string[];
  /** Default none. Their parameters are among `parameters` already. */
  readonly guests?: readonly (PatroniWishes & PostgresWishes)[];
}

/**
 * Patroni's dynamic configuration: how it fails over, and PostgreSQL's parameters and access rules. The reasons stand in
 * patroni.md. https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
 */
export function dynamicConfiguration(input: DynamicInput) {
  const rights = input.citus === undefined ? "alone" : input.citus.number === 0 ? "coordinator" : "worker";
  const { recovery, ...ofGuests } = guestDynamics(input.guests ?? []);
  return {
    ttl: input.timing.ttlSeconds,
    loop_wait: input.timing.loopWaitSeconds,
    retry_timeout: input.timing.retryTimeoutSeconds,
    // A crashed primary is not restarted where it stands when somebody healthy can take over at once.
    primary_start_timeout: 0,
    synchronous_mode: "quorum",
    synchronous_mode_strict: input.synchronous === "strict",
    synchronous_node_count: input.synchronousReplicas,
    // Without etcd the leader goes on for as long as every other member confirms that it follows.
    failsafe_mode: true,
    // A member on an older timeline has missed a failover and must not win one.
    check_timeline: true,
    // 1 TiB: no limit. Votes of the synchronous members already prove that whoever wins has every acknowledged commit. A limit would
    // also count what was never acknowledged: a leader cut off from its replicas in the middle of a load, and then lost, would leave
    // a cluster in which nobody may lead (tried with 1 MiB, Patroni's default).
    maximum_lag_on_failover: 1024 ** 4,
    ...ofGuests,
    postgresql: {
      use_slots: true,
      use_pg_rewind: true,
      // What a diverged member holds beyond the leader was never acknowledged: see patroni.md, "A member that diverged".
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      ...recovery,
      parameters: { ...input.parameters },
      pg_hba: hbaLines(rights, input),
      pg_ident: identLines(rights, input),
    },
  };
}

export type DynamicConfiguration = ReturnType<typeof dynamicConfiguration>;

/**
 * `/etc/patroni-bootstrap/bootstrap.yml`: how the first member makes the database, and the dynamic configuration it starts with.
 * Read once in the life of a cluster, so a later change to it is none to the members.
 */
export function bootstrapYml(dynamic: DynamicConfiguration, guests: readonly PatroniWishes[] = []): string {
  const bootstrap: YamlValue = {
    dcs: dynamic,
    ...bootstrapMethod(guests),
    initdb: [
      // A copy with a bad page must not be promoted, and pg_rewind needs them.
      "data-checksums",
      { encoding: "UTF8" },
      // Sorts by code point, and the same on every machine and after every upgrade of libc; ORDER BY ... COLLATE for people's eyes.
      { "locale-provider": "builtin" },
      { "builtin-locale": "C.UTF-8" },
      { locale: "C.UTF-8" },
      { "auth-local": "peer" },
      // Until our own rules are in place, a moment later. There is no password yet.
      { "auth-host": "reject" },
    ],
    post_init: postInit,
  };
  return yaml({ bootstrap }, [
    "Used once, when the cluster is made. Afterwards the dynamic configuration lives in etcd.",
  ]);
}
