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

/** The user for the unsafe endpoints of Patroni's REST API (those that change something). Reading needs no password. */
export const REST_USER = "patroni";

/** A group of a Citus cluster. https://patroni.readthedocs.io/en/latest/citus.html */
export interface CitusGroup {
  /** 0 for the coordinator; a worker group's number never changes. */
  readonly number: number;
  /** The distributed database; Patroni creates it, with the extension, in every group. */
  readonly database: string;
}

/**
 * The leader's watchdog, in seconds. It must allow what a leader without etcd does on its own: `loop_wait + 2 * retry_timeout` until it
 * demotes itself, plus the stop. And it must kill PostgreSQL before the lease expires.
 */
export const WATCHDOG = {
  /** Between the watchdog's expiry and the lease's: for a machine that is slow to kill, and for clock differences. Patroni's default. */
  margin: 5,
  /** Until no client session is left: pools are held for at most 3 s while nobody renews the lease, then sessions are terminated. */
  stop: 5,
} as const;

/** Patroni's configuration, the same text for every member and without secrets. */
export interface PatroniInput {
  /** Patroni's name for the cluster: its keys in etcd are below `/service/<scope>/`. */
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
 * `/etc/patroni/cluster.yml`. A member's name and addresses come from its environment (PATRONI_NAME,
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
      // Without deduplication the same line is logged every second.
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
        // Proxies, probes and pools only read; unsafe endpoints need the password of 30-secrets.yml.
        verify_client: "none",
        server_tokens: "ProductOnly",
      },
      ctl: { cacert: TLS.ca, insecure: false },
      // The watchdog itself is process 1 of the container. A member without a watchdog does not lead.
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
        // On the socket the kernel vouches for the user; over TCP pg_hba.conf would have to admit localhost.
        use_unix_socket: true,
        use_unix_socket_repl: true,
        authentication: {
          superuser: { username: SUPERUSER, ...asNode },
          replication: { username: REPLICATION_ROLE, ...asNode },
          rewind: { username: REWIND_ROLE, ...asNode },
        },
        parameters: { unix_socket_directories: "/run/postgresql" },
        // Without it a new replica waits for the leader's next (spread) checkpoint, up to 4.5 minutes.
        basebackup: [{ checkpoint: "fast" }],
        ...replicaMethods(guests),
        ...hookCommands(guests),
        pg_ctl_timeout: 60,
      },
    },
    [
      "Patroni's configuration, the same for every member. What each setting does: config-files/patroni/patroni.md",
    ],
  );
}

export interface PatroniSecrets {
  /** Default `patroni`. */
  readonly restUsername?: string;
  /** For the unsafe endpoints of the REST API. */
  readonly restPassword: string;
  readonly etcdPassword: string;
  /** Default: the user in `cluster.yml`. */
  readonly etcdUsername?: string;
}

/** `/secrets/patroni/patroni.yml`, merged over `cluster.yml`. A reload applies a change. */
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

/** Input of the dynamic configuration: the DCS holds it, and every member applies it within `loopWaitSeconds`. */
export interface DynamicInput {
  readonly synchronous: "quorum" | "strict";
  /** How many standbys must confirm a transaction before it is acknowledged. */
  readonly synchronousReplicas: number;
  readonly timing: {
    readonly ttlSeconds: number;
    readonly loopWaitSeconds: number;
    readonly retryTimeoutSeconds: number;
  };
  /** As `resolveParameters` returns them. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly citus?: CitusGroup;
  /** Networks (CIDR), besides the member itself, from which the superuser's password is accepted. Default none. */
  readonly directFrom?: readonly string[];
  /** Default none. Their parameters are already part of `parameters`. */
  readonly guests?: readonly (PatroniWishes & PostgresWishes)[];
}

/**
 * Patroni's dynamic configuration: failover, and PostgreSQL's parameters and access rules. The reasons are in patroni.md.
 * https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
 */
export function dynamicConfiguration(input: DynamicInput) {
  const rights = input.citus === undefined ? "alone" : input.citus.number === 0 ? "coordinator" : "worker";
  const { recovery, ...ofGuests } = guestDynamics(input.guests ?? []);
  return {
    ttl: input.timing.ttlSeconds,
    loop_wait: input.timing.loopWaitSeconds,
    retry_timeout: input.timing.retryTimeoutSeconds,
    // A crashed primary is not restarted in place when a healthy replica can take over at once.
    primary_start_timeout: 0,
    synchronous_mode: "quorum",
    synchronous_mode_strict: input.synchronous === "strict",
    synchronous_node_count: input.synchronousReplicas,
    // Without etcd the leader keeps its role as long as every other member confirms that it follows.
    failsafe_mode: true,
    // A member on an older timeline has missed a failover and must not be promoted.
    check_timeline: true,
    // 1 TiB: no limit. The votes of the synchronous members already prove that the new leader has every acknowledged commit. A limit
    // would also count what was never acknowledged: a leader cut off from its replicas in the middle of a load, and then lost, would
    // leave a cluster in which no member may lead (tried with 1 MiB, Patroni's default).
    maximum_lag_on_failover: 1024 ** 4,
    ...ofGuests,
    postgresql: {
      use_slots: true,
      use_pg_rewind: true,
      // A diverged member's extra WAL was never acknowledged: see patroni.md, "A member that diverged".
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
 * `/etc/patroni-bootstrap/bootstrap.yml`: how the first member creates the database, and the initial dynamic configuration.
 * Read once in the life of a cluster: later changes to it have no effect.
 */
export function bootstrapYml(dynamic: DynamicConfiguration, guests: readonly PatroniWishes[] = []): string {
  const bootstrap: YamlValue = {
    dcs: dynamic,
    ...bootstrapMethod(guests),
    initdb: [
      // A replica with a corrupt page must not be promoted, and pg_rewind needs checksums.
      "data-checksums",
      { encoding: "UTF8" },
      // Sorts by code point: the same on every machine and after every libc upgrade. For human-readable order use ORDER BY ... COLLATE.
      { "locale-provider": "builtin" },
      { "builtin-locale": "C.UTF-8" },
      { locale: "C.UTF-8" },
      { "auth-local": "peer" },
      // Until our pg_hba.conf is in place, a moment later. There is no password yet.
      { "auth-host": "reject" },
    ],
    post_init: postInit,
  };
  return yaml({ bootstrap }, [
    "Used once, when the cluster is bootstrapped. Afterwards the dynamic configuration is in etcd.",
  ]);
}
