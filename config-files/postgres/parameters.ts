import { nearest } from "../format/nearest";
import { CITUS_MANAGED, CITUS_MANDATORY, citusDefaults } from "./citus";
import { defaultParameters, type ParameterFacts, PROCESSES_MIB, sharedMemoryMiB } from "./defaults";
import { libraryDefaults } from "./libraries";
import { type MergedWish, mergeWishes, POSTGRES_DEFAULTS, type PostgresWishes } from "./wishes";
import { LIMITS, MANAGED, MANDATORY, PRELOADED_LIBRARIES } from "./mandatory";
import {
  findSetting,
  isValid,
  memoryMiB,
  numericValue,
  type Setting,
  SETTING_NAMES,
  valueRule,
} from "./settings";

export type ParameterValue = string | number | boolean;

/** A parameter that cannot be set to this value. */
export interface ParameterProblem {
  readonly setting: string;
  readonly value: ParameterValue;
  readonly rule: string;
  readonly remedy: string;
}

export interface ResolvedParameters {
  /** All parameters that we set, by PostgreSQL's own spelling, each value as text, in alphabetical order. */
  readonly parameters: Readonly<Record<string, string>>;
  /** All problems; use the parameters only if there are none. */
  readonly problems: readonly ParameterProblem[];
}

/**
 * Merges layers of parameters; a later layer overrides earlier ones, key by key. PostgreSQL's names are case-insensitive, so `TimeZone` in
 * one layer overrides `timezone` in another.
 */
export function mergeParameters(
  ...layers: readonly (Readonly<Record<string, ParameterValue>> | undefined)[]
): Record<string, ParameterValue> {
  return layers.reduce<Record<string, ParameterValue>>((below, layer = {}) => {
    const named = new Set(Object.keys(layer).map((name) => name.toLowerCase()));
    const kept = Object.entries(below).filter(([name]) => !named.has(name.toLowerCase()));
    return { ...Object.fromEntries(kept), ...layer };
  }, {});
}

const textOf = (value: ParameterValue): string =>
  typeof value === "boolean" ? (value ? "on" : "off") : String(value).trim();

/** `prefix.name` belongs to an extension, and PostgreSQL accepts any; but we know all parameters of the extensions we always load. */
const isForeign = (name: string): boolean =>
  /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(name) && !PRELOADED_LIBRARIES.includes(name.split(".")[0] ?? "");

/** Why a guest does not allow this value. */
function guestProblem(
  setting: string,
  value: ParameterValue,
  { mandatory, atLeast }: MergedWish,
): ParameterProblem | undefined {
  const remedy = "Remove the parameter, or remove the guest";
  if (mandatory) {
    const rule = `is always ${mandatory.value} with the guest "${mandatory.guest}": ${mandatory.why}`;
    return { setting, value, rule, remedy };
  }
  const number = numericValue(setting, textOf(value));
  if (!atLeast || number === undefined || number >= atLeast.value) return undefined;
  const rule = `must be at least ${atLeast.value} with the guest "${atLeast.guest}": ${atLeast.why}`;
  return { setting, value, rule, remedy };
}

/** Values that guests request and that are not allowed. */
const impossibleWishes = (guests: readonly PostgresWishes[]): readonly ParameterProblem[] =>
  guests.flatMap(({ guest, parameters = {} }) =>
    Object.entries(parameters).flatMap(([name, wish]) => {
      const value = "default" in wish ? wish.default : "mandatory" in wish ? wish.mandatory : undefined;
      const found = findSetting(name);
      const problem = found && value !== undefined ? valueProblem(found, value) : undefined;
      const rule = `is requested by the guest "${guest}", and ${problem?.rule ?? ""}`;
      return problem ? [{ ...problem, rule, remedy: "Remove the guest" }] : [];
    }),
  );

/** The setting of that name, or why it cannot be set at all. */
function lookUp(setting: string, value: ParameterValue): Setting | ParameterProblem {
  const found = findSetting(setting);
  if (!found) {
    const near = nearest(setting, SETTING_NAMES);
    const remedy = near === undefined ? "Remove it" : `Write ${near} if you meant that`;
    return { setting, value, rule: "is not a parameter of PostgreSQL 17", remedy };
  }
  const mandatory = MANDATORY[found.name];
  if (mandatory) {
    return { setting, value, rule: `is always ${mandatory.value}: ${mandatory.why}`, remedy: "Remove it" };
  }
  const managed = MANAGED[found.name];
  if (managed !== undefined)
    return { setting, value, rule: `cannot be set: ${managed}`, remedy: "Remove it" };
  if (found.change === "fixed") {
    return {
      setting,
      value,
      rule: "cannot be set: it is fixed when the server is built or the database is created",
      remedy: "Remove it",
    };
  }
  return found;
}

/** Why a Citus parameter cannot be set. */
function citusProblem(setting: string, value: ParameterValue): ParameterProblem | undefined {
  const name = setting.toLowerCase();
  const mandatory = CITUS_MANDATORY[name];
  if (mandatory)
    return { setting, value, rule: `is always ${mandatory.value}: ${mandatory.why}`, remedy: "Remove it" };
  return CITUS_MANAGED.includes(name)
    ? { setting, value, rule: `cannot be set: Patroni sets it`, remedy: "Remove it" }
    : undefined;
}

function limitProblem(setting: Setting, value: ParameterValue): ParameterProblem | undefined {
  const limit = LIMITS[setting.name];
  if (
    limit?.allowed &&
    !limit.allowed.some((allowed) => allowed.toLowerCase() === textOf(value).toLowerCase())
  ) {
    const rule = `must be ${limit.allowed.join(" or ")}: ${limit.why}`;
    return { setting: setting.name, value, rule, remedy: `Use ${limit.allowed[0] ?? ""}` };
  }
  const number = numericValue(setting.name, textOf(value));
  if (limit?.atLeast !== undefined && number !== undefined && number < limit.atLeast) {
    const least = `${limit.atLeast}${setting.unit ?? ""}`;
    return {
      setting: setting.name,
      value,
      rule: `must be at least ${least}: ${limit.why}`,
      remedy: `Use ${least} or more`,
    };
  }
  return undefined;
}

function valueProblem(setting: Setting, value: ParameterValue): ParameterProblem | undefined {
  if (!isValid(setting, textOf(value))) {
    return {
      setting: setting.name,
      value,
      rule: valueRule(setting),
      remedy: "Correct the value or remove it",
    };
  }
  return limitProblem(setting, value);
}

/** Settings that are a single allocation, or an estimate of one for the planner. */
const WITHIN_LIMIT = [
  "shared_buffers",
  "effective_cache_size",
  "work_mem",
  "maintenance_work_mem",
  "autovacuum_work_mem",
  "temp_buffers",
  "wal_buffers",
  "logical_decoding_work_mem",
];

/** Memory of an idle connection. */
const CONNECTION_MIB = 2;

/** Settings that certainly exceed the container's memory; anything less certain is left to the user. */
function memoryProblems(
  parameters: Readonly<Record<string, string>>,
  facts: ParameterFacts,
): ParameterProblem[] {
  const limit = `the member's memory limit (${facts.memoryMiB}MB)`;
  const { memorySetting = "patroni.memory" } = facts;
  const size = (name: string): number => memoryMiB(name, parameters[name] ?? "") ?? 0;
  const problems = WITHIN_LIMIT.filter((name) => size(name) >= facts.memoryMiB).map((setting) => ({
    setting,
    value: parameters[setting] ?? "",
    rule: `must be less than ${limit}`,
    remedy: `Lower it, or raise ${memorySetting}`,
  }));
  if (problems.length > 0) return problems;
  const buffers = parameters["shared_buffers"] ?? "";
  // A parallel index build allocates all of it at once, in shared memory; with a single process more may work.
  const room = Math.floor(
    Math.min(sharedMemoryMiB(facts.memoryMiB), facts.memoryMiB - PROCESSES_MIB - size("shared_buffers")),
  );
  if (size("maintenance_work_mem") > room) {
    return [
      {
        setting: "maintenance_work_mem",
        value: parameters["maintenance_work_mem"] ?? "",
        rule: `must be at most ${room}MB: a parallel index build allocates all of it in /dev/shm (${sharedMemoryMiB(facts.memoryMiB)}MB), and within what shared_buffers (${buffers}) and the processes (${PROCESSES_MIB}MB) leave of ${limit}`,
        remedy: `Lower it, or raise ${memorySetting}`,
      },
    ];
  }
  const connections = Number(parameters["max_connections"]);
  const least = Math.ceil(size("shared_buffers") + connections * CONNECTION_MIB);
  if (least <= facts.memoryMiB) return [];
  return [
    {
      setting: "max_connections",
      value: connections,
      rule: `needs ${least}MB with shared_buffers (${buffers}) and at least ${CONNECTION_MIB}MB per connection, more than ${limit}`,
      remedy: `Lower max_connections (pools need few) or shared_buffers, or raise ${memorySetting}`,
    },
  ];
}

/** Libraries: ours, then the guests', then the user's, without duplicates. */
function libraries(guests: readonly string[], user: string): readonly string[] {
  const names = user.split(",").map((name) => name.trim());
  return [...new Set([...PRELOADED_LIBRARIES, ...guests, ...names.filter((name) => name !== "")])];
}

/** The value, raised to the minimum if there is one. */
function raised(name: string, value: string | undefined, atLeast: number | undefined): string | undefined {
  const number = value === undefined ? undefined : numericValue(name, value);
  return number === undefined || atLeast === undefined || number >= atLeast ? value : String(atLeast);
}

/** Merges defaults, the user's parameters and mandatory values (in increasing precedence), and checks the user's parameters. */
export function resolveParameters(
  user: Readonly<Record<string, ParameterValue>>,
  facts: ParameterFacts,
): ResolvedParameters {
  const guests = mergeWishes(facts.guests ?? []);
  const problems: ParameterProblem[] = [...guests.problems, ...impossibleWishes(facts.guests ?? [])];
  const chosen = new Map<string, string>();
  for (const [name, value] of Object.entries(user)) {
    const ofCitus = facts.citus && citusProblem(name, value);
    if (ofCitus) problems.push(ofCitus);
    else if (isForeign(name)) {
      const problem = guestProblem(name, value, guests.parameters.get(name) ?? {});
      if (problem) problems.push(problem);
      else chosen.set(name, textOf(value));
    } else {
      const found = lookUp(name, value);
      const wish = guests.parameters.get(findSetting(name)?.name ?? name) ?? {};
      const problem =
        "rule" in found ? found : (valueProblem(found, value) ?? guestProblem(found.name, value, wish));
      if (problem) problems.push(problem);
      else if (chosen.has(findSetting(name)?.name ?? name)) {
        problems.push({
          setting: name,
          value,
          rule: "is set twice (names are case-insensitive)",
          remedy: "Remove one",
        });
      } else chosen.set(findSetting(name)?.name ?? name, textOf(value));
    }
  }
  const defaults = defaultParameters(facts);
  const connections = Number(chosen.get("max_connections") ?? defaults["max_connections"]);
  const preloaded = libraries(guests.libraries, chosen.get("shared_preload_libraries") ?? "");
  const ours = new Map([
    ...Object.entries(libraryDefaults(preloaded, facts.database)),
    ...Object.entries({ ...defaults, ...(facts.citus && citusDefaults(facts.citus, connections)) }).map(
      ([name, value]) => [findSetting(name)?.name ?? name, value] as const,
    ),
  ]);
  const wishes = [...guests.parameters].map(([name, { default: wished, mandatory, atLeast }]) => {
    const otherwise = wished ?? ours.get(name) ?? POSTGRES_DEFAULTS[name];
    return [name, mandatory?.value ?? raised(name, otherwise, atLeast?.value)] as const;
  });
  for (const [name, { atLeast, mandatory }] of guests.parameters) {
    const known = wishes.some(([wished, value]) => wished === name && value !== undefined);
    if (known || mandatory !== undefined || chosen.has(name)) continue;
    problems.push({
      setting: name,
      value: atLeast?.value ?? "",
      rule: `has a minimum from the guest "${atLeast?.guest ?? ""}", but PostgreSQL's default is unknown here`,
      remedy: "Add a default to the guest's parameters",
    });
  }
  const merged = new Map([
    ...ours,
    ...wishes.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    ...chosen,
    ["shared_preload_libraries", preloaded.join(",")] as const,
    ...Object.entries({ ...MANDATORY, ...(facts.citus && CITUS_MANDATORY) }).map(
      ([name, { value }]) => [name, value] as const,
    ),
  ]);
  const parameters = Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { parameters, problems: [...problems, ...memoryProblems(parameters, facts)] };
}
