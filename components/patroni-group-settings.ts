import { z } from "zod";
import { CPU_SETTINGS } from "./settings/cpu";
import { byName, checked, checkedText, choice, count, integer, list, size, text } from "./settings/kinds";
import { section, setting, settings } from "./settings/setting";
import { memoryRange, VOLUME } from "./settings/size";

const GREATEST_MEMBERS = 7;
export const groupMembers = count(1, GREATEST_MEMBERS, {
  rule: `must be 1 to ${GREATEST_MEMBERS}`,
  remedy: "Use 3; more replicas serve more reads but do not make failover safer",
});

const postgresVersion = checked("`17`", z.union([z.number(), z.string()]), (value) =>
  String(value) === "17"
    ? undefined
    : { rule: "is not supported: the image holds PostgreSQL 17", remedy: "Use 17" },
);

const synchronousReplicas = integer("1 to `members` - 1", (value) =>
  value >= 1 ? undefined : { rule: "must be at least 1", remedy: "Use 1" },
);

const LONGEST_SECONDS = 3600;

/** Patroni would adjust other values and only log a warning: `_validate_and_adjust_timeouts` in its config.py. */
const seconds = (least: number) =>
  integer(`${least} to ${LONGEST_SECONDS}`, (value) => {
    if (value < least)
      return {
        rule: `must be at least ${least}: Patroni would silently use ${least}`,
        remedy: `Use ${least} or more`,
      };
    return value <= LONGEST_SECONDS
      ? undefined
      : {
          rule: `must be at most ${LONGEST_SECONDS}: after the loss of a leader, the cluster has none for about this long`,
          remedy: `Use ${least}, for example`,
        };
  });

/**
 * How fast a failure is detected. `loopWait + 2 x retryTimeout + 10` must not exceed `ttl`: a leader that cannot renew its lease demotes
 * itself and needs up to 5 s to stop. The watchdog kills a frozen leader 5 s before its lease expires.
 */
const TIMING = {
  /** Lifetime of the leader's lease. */
  ttlSeconds: setting(seconds(20), { default: 20, unit: "s", cost: "reload" }),
  /** Patroni's interval: how often each member runs its HA loop and the leader renews its lease. */
  loopWaitSeconds: setting(seconds(1), { default: 1, unit: "s", cost: "reload" }),
  /** How long operations on etcd and PostgreSQL are retried before a leader gives up. */
  retryTimeoutSeconds: setting(seconds(3), { default: 3, unit: "s", cost: "reload" }),
};

const memory = size(
  memoryRange(192, "Patroni and PostgreSQL with its minimum number of connections need this much", "1Gi"),
);

export const PARAMETERS = byName("values by name", z.union([z.string(), z.number(), z.boolean()]));

/** Settings of a group of members under Patroni. */
export const PATRONI_GROUP_SETTINGS = settings({
  /** Number of members. A single member cannot fail over. */
  members: setting(groupMembers, { default: 3, cost: "members" }),
  /** Major version of PostgreSQL. */
  postgresVersion: setting(postgresVersion, { default: "17", cost: "never" }),
  /**
   * What happens when too few standbys are left to confirm a commit: `quorum` continues with fewer copies, `strict` stops writes.
   * [Either way](https://patroni.readthedocs.io/en/latest/replication_modes.html) a failover loses no acknowledged write.
   */
  synchronous: setting(choice("quorum", "strict"), { default: "quorum", cost: "reload" }),
  /** How many standbys must confirm a transaction before it is acknowledged. */
  synchronousReplicas: setting(synchronousReplicas, { default: 1, cost: "reload" }),
  /** How fast a failure is detected. */
  timing: section(TIMING),
  /** PostgreSQL parameters (`512MB`, `10s`) that override [the defaults](config-files/postgres/postgres.md). Mandatory parameters are rejected. */
  parameters: setting(PARAMETERS, {
    default: {},
    cost: "restart",
    when: "where PostgreSQL needs one, else reload",
  }),
  /** Size of a member's data volume (Kubernetes). It can grow but not shrink. */
  volumeSize: setting(size(VOLUME), { default: "10Gi", cost: "none" }),
  /** Memory limit of a member. */
  memory: setting(memory, { default: "1Gi", cost: "replacement" }),
  ...CPU_SETTINGS,
});

const OWN_DATABASES = ["postgres", "template0", "template1"];
const database = checkedText("SQL name", (name) =>
  /^[a-z_][a-z0-9_]{0,62}$/.test(name) && !OWN_DATABASES.includes(name)
    ? undefined
    : {
        rule: "must be a lower-case SQL name of at most 63 characters that is not one of PostgreSQL's own databases",
        remedy: "Use app, for example",
      },
);

/** Settings of the application's database. */
export const APPLICATION_DATABASE_SETTINGS = settings({
  /** The application's database, owned by the role `dpg_cluster`. */
  database: setting(database, { default: "app", cost: "never" }),
  /** Extensions of that database besides pg_stat_statements. The image includes `vector` and PostgreSQL's own. Removing one here does not drop it. */
  extensions: setting(list("list of names", text()), { default: [], cost: "none" }),
});
