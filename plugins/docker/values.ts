// Small readers of property values in the shapes that the docker provider uses.

import { isObject, type Properties, type Value } from "../properties";
import type { Diff } from "../provider";

export const text = (value: Value | undefined): string => (typeof value === "string" ? value : "");
export const number = (value: Value | undefined): number => (typeof value === "number" ? value : 0);
export const texts = (value: Value | undefined): string[] => (Array.isArray(value) ? value.map(text) : []);
export const blocks = (value: Value | undefined): Properties[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

export function record(value: Value | undefined): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === "string" ? item : JSON.stringify(item)]),
  );
}

/** Labels are a list of pairs in the provider and a map in Docker. */
export function labelMap(value: Value | undefined): Record<string, string> {
  return Object.fromEntries(blocks(value).map((each) => [text(each.label), text(each.value)]));
}

export function labelBlocks(labels: Readonly<Record<string, string>> | null | undefined): Properties[] {
  return Object.entries(labels ?? {}).map(([label, value]) => ({ label, value }));
}

/** The diff of a type that knows no update. Where the program gives the name, the old one has to go first. */
export function replaceAll(keys: readonly string[], news: Properties): Diff {
  const named = Array.isArray(news.__defaults) && !news.__defaults.includes("name");
  return { changedKeys: keys, replaceKeys: keys, deleteBeforeReplace: named && keys.length > 0 };
}

/** Whether what is there has the labels that are wanted, and at least one: then a run of ours has made it. */
export function sameLabels(
  inputs: Properties,
  found: Readonly<Record<string, string>> | null | undefined,
): boolean {
  const wanted = Object.entries(labelMap(inputs.labels));
  return wanted.length > 0 && wanted.every(([key, value]) => found?.[key] === value);
}
