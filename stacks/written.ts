import type { Problem } from "../components/settings/problems";
import type { StackSettings } from "./settings";

/**
 * Attributes problems of groups to the setting where the value was written. A group inherits settings from `workers`, and `workers` from
 * `patroni`. A problem of an inherited value is reported only once.
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

/** The sections where the value of a group's setting may be written, the group's own first. */
function places(setting: string): readonly string[] {
  const [, section, path] = /^(workers\.groups\[\d+\]|workers|coordinator)\.(.+)$/.exec(setting) ?? [];
  if (section === undefined || path === undefined) return [setting];
  // Only coordinators inherit `patroni.members`.
  const shared = path === "members" && section !== "coordinator" ? [] : ["patroni"];
  const above = section.startsWith("workers.groups") ? ["workers", ...shared] : shared;
  return [section, ...above].map((place) => `${place}.${path}`);
}

/** The name of a parameter may contain a full stop and is case-insensitive. */
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
