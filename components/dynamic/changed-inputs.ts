import { isUnknown } from "./unknown-value";

/** A text that is equal for equal values, whatever the order of the keys; a key without a value is as good as no key. */
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
  /** Inputs that differ from what was recorded, or that are not known yet. */
  readonly changed: readonly string[];
  /** Those of them whose new value is known: only these may be a reason for a replacement. */
  readonly certain: readonly string[];
}

/**
 * Compares the inputs of a dynamic resource with its recorded outputs, which echo the inputs. `names` says which keys are inputs:
 * what a provider computes is no reason for a change.
 */
export function changedInputs(olds: object, news: object, names: readonly string[]): ChangedInputs {
  const before = olds as Record<string, unknown>;
  const after = news as Record<string, unknown>;
  const changed = names.filter(
    (name) => isUnknown(after[name]) || canonicalText(before[name]) !== canonicalText(after[name]),
  );
  return { changed, certain: changed.filter((name) => !isUnknown(after[name])) };
}
