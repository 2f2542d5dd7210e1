import type { ParameterFacts } from "../config-files/postgres/defaults";
import { patroniProblems } from "../config-files/patroni/guests";
import { WATCHDOG } from "../config-files/patroni/patroni";
import { resolveParameters } from "../config-files/postgres/parameters";
import { REPLICATION_ROLE, REWIND_ROLE, SUPERUSER } from "../config-files/postgres/access";
import type { DatabaseContribution, Guests } from "./guests/contribution";
import { APPLICATION_ROLES } from "./resources/sql/application-roles";
import { PATRONI_GROUP_SETTINGS } from "./patroni-group-settings";
import { resolveCpu, type ResolvedCpu } from "./settings/cpu";
import type { Problem } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import type { Resolved, Written } from "./settings/setting";
import { mebibytes } from "./settings/size";

/** Settings of a group of members under Patroni. */
export interface PatroniGroupSettings extends Written<typeof PATRONI_GROUP_SETTINGS> {}

type Settings = Resolved<typeof PATRONI_GROUP_SETTINGS>;
type Timing = Settings["timing"];
export type FailoverTiming = Partial<Timing>;

/** `PatroniGroupSettings` with defaults filled in and amounts as numbers. */
export interface ResolvedPatroniGroup extends ResolvedCpu, Omit<Settings, "memory" | "cpu" | "cpuLimit"> {
  readonly scope: string;
  /** Names of the parameters that were set explicitly. */
  readonly chosen: readonly string[];
  readonly memoryMiB: number;
}

/** What is known about a group besides its settings. */
export type GroupFacts = Pick<ParameterFacts, "citus" | "leastConnections" | "database"> & {
  /** Default none. */
  readonly guests?: Guests<DatabaseContribution>;
};

/**
 * Fills in defaults and reports all problems. `section` is the path of the settings, for messages.
 */
export function resolvePatroniGroup(
  args: PatroniGroupSettings & { readonly scope: string },
  section: string,
  facts: GroupFacts = {},
): { readonly value: ResolvedPatroniGroup; readonly problems: readonly Problem[] } {
  const { value, problems: own, sound } = resolveSettings(PATRONI_GROUP_SETTINGS, args, section);
  const { memory, cpu, cpuLimit, ...settings } = value;
  const { members, synchronous, synchronousReplicas, timing } = settings;
  const problems: Problem[] = [...own];
  const problem = (setting: string, of: unknown, rule: string, remedy: string): void => {
    problems.push({ setting: `${section}.${setting}`, value: of, rule, remedy });
  };

  if (members > 1 && synchronousReplicas >= members) {
    problem(
      "synchronousReplicas",
      synchronousReplicas,
      `must be 1 to ${section}.members - 1 (${members - 1})`,
      "Use 1, or add members",
    );
  } else if (synchronous === "strict" && members < synchronousReplicas + 2) {
    problem(
      "synchronous",
      synchronous,
      `needs at least ${synchronousReplicas + 2} members for ${synchronousReplicas} synchronous replica(s), but there are ${members}: the loss of one member would stop every write`,
      `Use ${synchronousReplicas + 2} members or "quorum"`,
    );
  }
  if (sound("timing")) problems.push(...timingProblems(timing, section));
  // A wrong size is reported once. Here it has its default, so that parameters are not reported for not fitting into it.
  const memoryMiB = mebibytes(memory);
  const time = resolveCpu({ cpu, cpuLimit }, section);
  problems.push(...time.problems);
  const parameters = resolveParameters(value.parameters, {
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
      ...settings,
      ...time.value,
      scope: args.scope,
      parameters: parameters.parameters,
      chosen: Object.keys(value.parameters).sort(),
      memoryMiB,
    },
    problems,
  };
}

/** Each guest must have its own roles, and its access rules may name only these. */
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
      const rule = `declares a role that ${other ?? ""} already has`;
      return other === undefined ? [] : [{ setting, value: role, rule, remedy: "Choose another name" }];
    });
    const foreign = [...access.map(({ role }) => role), ...functions.map(({ executeBy }) => executeBy)]
      .filter((role) => !own.includes(role))
      .map((role) => ({
        ...{ setting, value: role, rule: "gives access to a role that is not its own" },
        remedy: `Use one of its roles (${own.join(", ") || "it has none"})`,
      }));
    return [...twice, ...foreign];
  });
}

function timingProblems(timing: Timing, section: string): Problem[] {
  const demotion = timing.loopWaitSeconds + 2 * timing.retryTimeoutSeconds;
  const shortest = demotion + WATCHDOG.stop + WATCHDOG.margin;
  if (shortest <= timing.ttlSeconds) return [];
  return [
    {
      setting: `${section}.timing`,
      value: timing,
      rule: `loopWaitSeconds + 2 x retryTimeoutSeconds + ${WATCHDOG.stop + WATCHDOG.margin} (${shortest}) must not exceed ttlSeconds (${timing.ttlSeconds}): a leader cut off from etcd demotes itself after ${demotion} s and needs ${WATCHDOG.stop} s to stop; the watchdog kills it ${WATCHDOG.margin} s before its lease expires, and must not do so earlier`,
      remedy: `Raise ttlSeconds to ${shortest} or lower the other two`,
    },
  ];
}
