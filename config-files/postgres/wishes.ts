/**
 * Requirements of guests on PostgreSQL's configuration, and how they are merged. The rules:
 *
 * - Libraries are combined: ours, then those of the guests in their order, then the user's, without duplicates.
 * - A *minimum* raises the value; the greatest minimum counts. A user's lower value is rejected, and the error names the guest. If neither we
 *   nor a guest set the parameter, PostgreSQL's default must be known (`POSTGRES_DEFAULTS`), so that a minimum never lowers the value.
 * - A *default* replaces ours; the user's value wins.
 * - A *mandatory* value works like our own mandatory values: a user's value is rejected, and the error names the guest.
 * - Two guests that conflict are rejected, and so is a guest that conflicts with a mandatory parameter; the error names both.
 * - An access rule admits the guest's own role only, at its fixed place; our own lines come first.
 */
import type { HbaLine } from "./hba";
import type { IdentLine } from "./ident";
import { MANAGED, MANDATORY } from "./mandatory";
import { findSetting, numericValue } from "./settings";

export type ParameterWish =
  | { readonly default: string }
  | { readonly mandatory: string; readonly why: string }
  /** In the parameter's own unit, see `pg_settings.unit`. */
  | { readonly atLeast: number; readonly why: string };

/** An additional role that may log in, and how. */
export interface AccessRule {
  /** A role that the guest creates. */
  readonly role: string;
  /** Default: all databases. */
  readonly database?: string;
  /**
   * `socket`: a process in the container, by `peer`. `certificate`: a client certificate of the cluster's CA with that common name.
   * `password`: over TLS, in every group in which the role has a password.
   */
  readonly by: "socket" | "password" | { readonly certificate: string };
  /** For connections over the network: a network (`10.0.0.0/8`) or a host name. Default: from everywhere. */
  readonly from?: string;
}

export interface PostgresWishes {
  /** The guest's name, for messages. */
  readonly guest: string;
  /** For `shared_preload_libraries`. */
  readonly libraries?: readonly string[];
  readonly parameters?: Readonly<Record<string, ParameterWish>>;
  readonly access?: readonly AccessRule[];
}

/** A conflict between two guests, or between a guest and a mandatory parameter. */
export interface Contradiction {
  readonly setting: string;
  readonly value: string;
  readonly rule: string;
  readonly remedy: string;
}

/** The merged requirements of all guests for one parameter. */
export interface MergedWish {
  readonly default?: string;
  readonly mandatory?: { readonly value: string; readonly why: string; readonly guest: string };
  readonly atLeast?: { readonly value: number; readonly why: string; readonly guest: string };
}

export interface MergedWishes {
  readonly libraries: readonly string[];
  /** By PostgreSQL's own spelling of the names. */
  readonly parameters: ReadonlyMap<string, MergedWish>;
  readonly problems: readonly Contradiction[];
}

/** PostgreSQL 17's defaults of parameters that guests raise: https://www.postgresql.org/docs/17/runtime-config.html */
export const POSTGRES_DEFAULTS: Readonly<Record<string, string>> = {
  autovacuum_max_workers: "3",
  max_locks_per_transaction: "64",
  max_logical_replication_workers: "4",
  max_parallel_workers: "8",
  max_prepared_transactions: "0",
  max_worker_processes: "8",
  reserved_connections: "0",
};

const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const contradiction = (setting: string, value: string, rule: string): Contradiction => ({
  ...{ setting, value, rule },
  remedy: "Remove one of the two guests",
});

const wanted = (guest: string, value: string): string => `"${value}" by the guest "${guest}"`;

export function mergeWishes(guests: readonly PostgresWishes[]): MergedWishes {
  const problems: Contradiction[] = [];
  const merged = new Map<string, MergedWish>();
  const defaults = new Map<string, { readonly value: string; readonly guest: string }>();
  for (const { guest, parameters = {} } of guests) {
    for (const [written, wish] of Object.entries(parameters)) {
      const name = findSetting(written)?.name ?? written;
      const before = merged.get(name) ?? {};
      const fixed = MANDATORY[name]?.value ?? MANAGED[name];
      if (fixed !== undefined) {
        const rule = `is requested by the guest "${guest}", and cannot be set: ${MANDATORY[name]?.why ?? fixed}`;
        problems.push({ setting: name, value: JSON.stringify(wish), rule, remedy: "Remove the guest" });
      } else if ("default" in wish) {
        const other = defaults.get(name);
        if (other !== undefined && !sameText(other.value, wish.default))
          problems.push(
            contradiction(
              name,
              wish.default,
              `has the default ${wanted(other.guest, other.value)} and ${wanted(guest, wish.default)}`,
            ),
          );
        defaults.set(name, { value: wish.default, guest });
        merged.set(name, { ...before, default: wish.default });
      } else if ("mandatory" in wish) {
        const other = before.mandatory;
        if (other !== undefined && !sameText(other.value, wish.mandatory))
          problems.push(
            contradiction(
              name,
              wish.mandatory,
              `must be ${wanted(other.guest, other.value)} and ${wanted(guest, wish.mandatory)}`,
            ),
          );
        merged.set(name, { ...before, mandatory: { value: wish.mandatory, why: wish.why, guest } });
      } else if (before.atLeast === undefined || before.atLeast.value < wish.atLeast) {
        merged.set(name, { ...before, atLeast: { value: wish.atLeast, why: wish.why, guest } });
      }
    }
  }
  for (const [name, { mandatory, atLeast }] of merged) {
    const value = mandatory && numericValue(name, mandatory.value);
    if (mandatory && atLeast && value !== undefined && value < atLeast.value)
      problems.push(
        contradiction(
          name,
          mandatory.value,
          `must be ${wanted(mandatory.guest, mandatory.value)} and at least ${atLeast.value} for the guest "${atLeast.guest}"`,
        ),
      );
  }
  return {
    libraries: [...new Set(guests.flatMap(({ libraries = [] }) => libraries))],
    parameters: merged,
    problems,
  };
}

const GUEST_MAP = "guests";

/** The place of a guest's line in pg_hba.conf: before the line that rejects other local connections, or before the applications' lines. */
type AccessPlace = "inside" | "network";

/** The lines of pg_hba.conf for guests at that place. */
export const guestLines = (guests: readonly PostgresWishes[], place: AccessPlace): readonly HbaLine[] =>
  rulesOf(guests)
    .filter(({ by }) => (by === "socket") === (place === "inside"))
    .map(({ role, database = "all", by, from }): HbaLine => {
      if (by === "socket") return { via: "local", database, user: role, method: "peer", map: GUEST_MAP };
      const come = {
        via: "hostssl",
        database,
        user: role,
        ...(from !== undefined && { address: from }),
      } as const;
      return by === "password"
        ? { ...come, method: "scram-sha-256" }
        : { ...come, method: "cert", map: GUEST_MAP };
    });

/** The lines of pg_ident.conf that map guests to their roles. `programUser`: the system user of companions. */
export const guestIdentities = (
  guests: readonly PostgresWishes[],
  programUser: string,
): readonly IdentLine[] =>
  rulesOf(guests).flatMap(({ role, by }): readonly IdentLine[] => {
    if (by === "password") return [];
    return [{ map: GUEST_MAP, systemUser: by === "socket" ? programUser : by.certificate, role }];
  });

const rulesOf = (guests: readonly PostgresWishes[]): readonly AccessRule[] =>
  guests.flatMap(({ access = [] }) => access);
