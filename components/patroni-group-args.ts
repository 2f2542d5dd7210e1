import type { ParameterFacts } from "../config-files/postgres/defaults";
import { patroniProblems } from "../config-files/patroni/guests";
import { WATCHDOG } from "../config-files/patroni/patroni";
import { resolveParameters } from "../config-files/postgres/parameters";
import { REPLICATION_ROLE, REWIND_ROLE, SUPERUSER } from "../config-files/postgres/access";
import type { DatabaseContribution, Guests } from "./guests/contribution";
import { APPLICATION_ROLES } from "./resources/sql/application-roles";
import type { Problem } from "./settings/problems";
import {
  type CpuSettings,
  memoryRange,
  resolveCpu,
  type ResolvedCpu,
  resolveSize,
  sizeText,
  VOLUME,
} from "./size";

/** What may be chosen for a group of members under Patroni. */
export interface PatroniGroupSettings extends CpuSettings {
  /** 1 to 7. Default 3. One member cannot fail over. */
  readonly members?: number;
  /** Major version of PostgreSQL. Default, and so far the only one, `17`. */
  readonly postgresVersion?: string | number;
  /**
   * What happens when too few standbys are left to hold a copy: `quorum` goes on with fewer copies, `strict` stops writes.
   * Default `quorum`. Either way no acknowledged write is lost in a failover: https://patroni.readthedocs.io/en/latest/replication_modes.html
   */
  readonly synchronous?: "quorum" | "strict";
  /** How many standbys must hold a transaction before it is acknowledged. Default 1. */
  readonly synchronousReplicas?: number;
  readonly timing?: FailoverTiming;
  /** PostgreSQL parameters over the defaults; mandatory ones are refused. Units as PostgreSQL writes them (`512MB`, `10s`). */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  /** Size of a member's data volume. Default `10Gi`. */
  readonly volumeSize?: string;
  /** Memory limit of a member. Default `1Gi`. */
  readonly memory?: string;
}

/**
 * How fast a failure is noticed. `loopWait + 2 x retryTimeout + 10` must not exceed `ttl`: a leader that cannot renew its lease demotes
 * itself in that time, and one that is frozen is killed 5 s before its lease ends, which must leave 5 s for a stop.
 */
export interface FailoverTiming {
  /** Lifetime of the leader's lease in seconds, at least 20. Default 20. */
  readonly ttlSeconds?: number;
  /** Patroni's interval in seconds, at least 1. Default 1. */
  readonly loopWaitSeconds?: number;
  /** How long DCS and PostgreSQL operations are retried, in seconds, at least 3. Default 3. */
  readonly retryTimeoutSeconds?: number;
}

/** `PatroniGroupSettings` with every default filled in. */
export interface ResolvedPatroniGroup extends ResolvedCpu {
  readonly scope: string;
  readonly members: number;
  readonly synchronous: "quorum" | "strict";
  readonly synchronousReplicas: number;
  readonly timing: Required<FailoverTiming>;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** Which of the parameters were set, and are no defaults. */
  readonly chosen: readonly string[];
  readonly volumeSize: string;
  readonly memoryMiB: number;
}

const MAX_MEMBERS = 7;
const DEFAULT_MEMORY_MIB = 1024;
const DEFAULT_MEMORY = sizeText(DEFAULT_MEMORY_MIB);
const MEMORY = memoryRange(
  192,
  "Patroni, PostgreSQL and the least number of its connections need it",
  DEFAULT_MEMORY,
);

/** What a group is besides its settings. */
export type GroupFacts = Pick<ParameterFacts, "citus" | "leastConnections" | "database"> & {
  /** Default none. */
  readonly guests?: Guests<DatabaseContribution>;
};

/**
 * Fills in defaults and finds everything that is wrong. `section` is where the settings stand, for messages; `facts` tell what the
 * group is besides.
 */
export function resolvePatroniGroup(
  args: PatroniGroupSettings & { readonly scope: string },
  section: string,
  facts: GroupFacts = {},
): { readonly value: ResolvedPatroniGroup; readonly problems: readonly Problem[] } {
  const { members = 3, postgresVersion = "17", synchronous = "quorum" } = args;
  const { volumeSize = "10Gi", memory = DEFAULT_MEMORY } = args;
  const synchronousReplicas = args.synchronousReplicas ?? 1;
  const timing = { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3, ...args.timing };
  const problems: Problem[] = [];
  const problem = (setting: string, value: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `${section}.${setting}`, value, rule, remedy });
  };

  if (!Number.isInteger(members) || members < 1 || members > MAX_MEMBERS) {
    problem(
      "members",
      members,
      `must be 1 to ${MAX_MEMBERS}`,
      "Use 3; more replicas serve reads, they do not make failover safer",
    );
  }
  if (String(postgresVersion) !== "17") {
    problem("postgresVersion", postgresVersion, "is not supported: the image holds PostgreSQL 17", "Use 17");
  }
  if (
    !Number.isInteger(synchronousReplicas) ||
    synchronousReplicas < 1 ||
    (members > 1 && synchronousReplicas >= members)
  ) {
    problem(
      "synchronousReplicas",
      synchronousReplicas,
      `must be 1 to ${section}.members - 1 (${Math.max(1, members - 1)})`,
      "Use 1, or add members",
    );
  } else if (synchronous === "strict" && members < synchronousReplicas + 2) {
    problem(
      "synchronous",
      synchronous,
      `needs at least ${synchronousReplicas + 2} members for ${synchronousReplicas} synchronous replica(s), there are ${members}: else the loss of one member stops every write`,
      `Use ${synchronousReplicas + 2} members or "quorum"`,
    );
  }
  problems.push(...timingProblems(timing, section));
  const memorySize = resolveSize(`${section}.memory`, memory, MEMORY);
  // What is wrong with the memory is told once, and not by each parameter that does not fit into it.
  const memoryMiB = memorySize.problems.length > 0 ? DEFAULT_MEMORY_MIB : memorySize.mib;
  const cpu = resolveCpu(args, section);
  problems.push(...memorySize.problems, ...cpu.problems);
  problems.push(...resolveSize(`${section}.volumeSize`, volumeSize, VOLUME).problems);
  const parameters = resolveParameters(args.parameters ?? {}, {
    memoryMiB,
    memorySetting: `${section}.memory`,
    ...facts,
  });
  problems.push(
    ...patroniProblems(facts.guests ?? []).map(({ about, ...found }) => ({
      setting: `${section}.guests: ${about}`,
      ...found,
    })),
    ...roleProblems(section, facts.guests ?? []),
  );
  problems.push(...parameters.problems.map((p) => ({ ...p, setting: `${section}.parameters.${p.setting}` })));
  return {
    value: {
      scope: args.scope,
      members,
      synchronous,
      synchronousReplicas,
      timing,
      parameters: parameters.parameters,
      chosen: Object.keys(args.parameters ?? {}).sort(),
      volumeSize,
      memoryMiB,
      ...cpu.value,
    },
    problems,
  };
}

/** A guest has roles of its own, and opens doors for them alone. */
function roleProblems(section: string, guests: Guests<DatabaseContribution>): readonly Problem[] {
  const taken = new Map<string, string>(
    [SUPERUSER, REPLICATION_ROLE, REWIND_ROLE, ...APPLICATION_ROLES].map((role) => [
      role,
      "the database itself",
    ]),
  );
  return guests.flatMap(({ guest, roles = [], access = [], functions = [] }) => {
    const setting = `${section}.guests.${guest}`;
    const own = roles.map(({ name }) => name);
    const twice = own.flatMap((role): Problem[] => {
      const other = taken.get(role);
      taken.set(role, `the guest "${guest}"`);
      const rule = `wants a role that ${other ?? ""} has`;
      return other === undefined ? [] : [{ setting, value: role, rule, remedy: "Name it otherwise" }];
    });
    const foreign = [...access.map(({ role }) => role), ...functions.map(({ executeBy }) => executeBy)]
      .filter((role) => !own.includes(role))
      .map((role) => ({
        ...{ setting, value: role, rule: "opens a door for a role that is not its own" },
        remedy: `Use one of its roles (${own.join(", ") || "it has none"})`,
      }));
    return [...twice, ...foreign];
  });
}

const LONGEST_SECONDS = 3600;

/** Patroni would raise or shrink such values by itself and only warn in its log: `_validate_and_adjust_timeouts` in its config.py. */
function timingProblems(timing: Required<FailoverTiming>, section: string): Problem[] {
  const minimum: Required<FailoverTiming> = { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 };
  const problems = (Object.keys(minimum) as (keyof FailoverTiming)[]).flatMap((key): Problem[] => {
    const about = { setting: `${section}.timing.${key}`, value: timing[key] };
    if (timing[key] < minimum[key]) {
      const rule = `must be at least ${minimum[key]}: Patroni would silently use ${minimum[key]}`;
      return [{ ...about, rule, remedy: `Use ${minimum[key]} or more` }];
    }
    if (Number.isInteger(timing[key]) && timing[key] <= LONGEST_SECONDS) return [];
    const rule = `must be a whole number of at most ${LONGEST_SECONDS}: nobody leads for so long when a leader is lost`;
    return [{ ...about, rule, remedy: `Use for instance ${minimum[key]}` }];
  });
  const demotion = timing.loopWaitSeconds + 2 * timing.retryTimeoutSeconds;
  const shortest = demotion + WATCHDOG.stop + WATCHDOG.margin;
  if (problems.length === 0 && shortest > timing.ttlSeconds) {
    problems.push({
      setting: `${section}.timing`,
      value: timing,
      rule: `loopWaitSeconds + 2 x retryTimeoutSeconds + ${WATCHDOG.stop + WATCHDOG.margin} (${shortest}) must not exceed ttlSeconds (${timing.ttlSeconds}): a leader cut off from etcd gives up after ${demotion} s and needs ${WATCHDOG.stop} s to stop; one that is frozen is killed ${WATCHDOG.margin} s before its lease ends, and that must not meet the first`,
      remedy: `Raise ttlSeconds to ${shortest} or lower the others`,
    });
  }
  return problems;
}
