import { isUnknown } from "./unknown-value";

/** A canonical text: equal for equal values, regardless of the order of keys. An undefined value equals a missing key. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const record = value as Record<string, unknown>;
    const keys = Object.keys(record)
      .filter((key) => record[key] !== undefined)
      .sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(record[key])}`).join(",")}}`;
  }
  return JSON.stringify(value ?? null);
}

export interface ChangedInputs {
  /** Inputs that differ from the recorded ones, or are not known yet. */
  readonly changed: readonly string[];
  /** Changed inputs whose new value is known. Only these may cause a replacement. */
  readonly certain: readonly string[];
}

/**
 * Compares the inputs of a dynamic resource with its recorded outputs, which include the inputs. `names` lists the keys that are inputs:
 * values that a provider computes are not compared.
 */
export function changedInputs(olds: object, news: object, names: readonly string[]): ChangedInputs {
  const before = olds as Record<string, unknown>;
  const after = news as Record<string, unknown>;
  const changed = names.filter(
    (name) => isUnknown(after[name]) || canonicalText(before[name]) !== canonicalText(after[name]),
  );
  return { changed, certain: changed.filter((name) => !isUnknown(after[name])) };
}
