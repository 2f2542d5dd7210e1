import type { Problem } from "../components/settings/problems";
import type { StackSettings } from "./settings";

/**
 * Problems of groups by the place where the value stands. A group takes what it does not say itself from `workers`, and that from
 * `patroni`: so a value of all groups is written once, and is told once.
 */
export function asWritten(problems: readonly Problem[], settings: StackSettings): readonly Problem[] {
  const told = new Map<string, Problem>();
  for (const problem of problems) {
    const setting = places(problem.setting).find((place) => stands(place, settings)) ?? problem.setting;
    const key = `${setting} ${problem.rule}`;
    if (!told.has(key)) told.set(key, { ...problem, setting });
  }
  return [...told.values()];
}

/** Where the value of a group's setting may stand, the group's own first. */
function places(setting: string): readonly string[] {
  const [, section, path] = /^(workers\.groups\[\d+\]|workers|coordinator)\.(.+)$/.exec(setting) ?? [];
  if (section === undefined || path === undefined) return [setting];
  // How many members `patroni` has is said of the coordinators only.
  const shared = path === "members" && section !== "coordinator" ? [] : ["patroni"];
  const above = section.startsWith("workers.groups") ? ["workers", ...shared] : shared;
  return [section, ...above].map((place) => `${place}.${path}`);
}

/** A parameter's name may hold a full stop, and upper and lower case in it are the same. */
function stands(setting: string, settings: StackSettings): boolean {
  const [, section = "", parameter] = /^(.+?)\.parameters\.(.+)$/.exec(setting) ?? [];
  if (parameter === undefined) return valueAt(settings, setting) !== undefined;
  const parameters = Object.keys(valueAt(settings, `${section}.parameters`) ?? {});
  return parameters.some((name) => name.toLowerCase() === parameter.toLowerCase());
}

const valueAt = (settings: StackSettings, setting: string): object | undefined =>
  setting
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], settings) as
    object | undefined;
