import type { ClusterCertificates } from "./cluster-certificates";
import type { EtcdCluster } from "./etcd-cluster";
import type { DatabaseContribution, Guests } from "./guests/contribution";
import { POOLS } from "./pools-guest";
import {
  type PatroniGroupSettings,
  type ResolvedPatroniGroup,
  resolvePatroniGroup,
} from "./patroni-group-args";
import { APPLICATION_DATABASE_SETTINGS } from "./patroni-group-settings";
import type { Platform } from "./platforms/platform";
import type { Problem } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import type { Resolved, Written } from "./settings/setting";

/** Settings of the application's database. */
export interface ApplicationDatabaseSettings extends Written<typeof APPLICATION_DATABASE_SETTINGS> {}

export type ResolvedApplicationDatabase = Resolved<typeof APPLICATION_DATABASE_SETTINGS>;

/** Arguments of a replicated PostgreSQL: one leader and streaming replicas under Patroni, with automatic failover. */
export interface PatroniClusterArgs extends PatroniGroupSettings, ApplicationDatabaseSettings {
  readonly platform: Platform;
  /** Issues the members' certificates. */
  readonly certificates: ClusterCertificates;
  /** Where the leader's lease is kept; it must have been declared with this cluster's `scope`. */
  readonly etcd: EtcdCluster;
  /** Patroni's name for the cluster and the prefix of its keys in etcd. A new scope is a new cluster; the old data stay behind. */
  readonly scope: string;
  /** Names under which clients reach members through a TLS-passthrough proxy (`entryNames`). Certificates include them. Default: none. */
  readonly alsoKnownAs?: readonly string[];
  /** Guests of the members and of the database. Default: the pools of a `ProxyTier` (`POOLS`). */
  readonly guests?: Guests<DatabaseContribution>;
}

export const DEFAULT_GUESTS: Guests<DatabaseContribution> = [POOLS];

/** `PatroniClusterArgs` with defaults filled in. */
export type ResolvedPatroniCluster = ResolvedPatroniGroup & ResolvedApplicationDatabase;

/** Fills in defaults and reports all problems. */
export function resolvePatroniCluster(
  args: Omit<PatroniClusterArgs, "platform" | "certificates" | "etcd" | "alsoKnownAs">,
): { readonly value: ResolvedPatroniCluster; readonly problems: readonly Problem[] } {
  const database = resolveApplicationDatabase(args);
  const group = resolvePatroniGroup(args, "patroni", {
    database: database.value.database,
    guests: args.guests ?? DEFAULT_GUESTS,
  });
  return {
    value: { ...group.value, ...database.value },
    problems: [...group.problems, ...database.problems],
  };
}

export function resolveApplicationDatabase(args: ApplicationDatabaseSettings): {
  readonly value: ResolvedApplicationDatabase;
  readonly problems: readonly Problem[];
} {
  const { value, problems } = resolveSettings(APPLICATION_DATABASE_SETTINGS, args, "patroni");
  const extensions = [...new Set(["pg_stat_statements", ...value.extensions])];
  return { value: { ...value, extensions }, problems };
}
