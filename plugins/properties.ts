// Property values as the CLI sends them: plain JSON, in which one fixed string stands for "not known yet". Secrets come without their wrapping.

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

/** Stands for a value that only the real update will know; fixed by Pulumi's wire format. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whatever the order in which the keys stand. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) && left.length === right.length && left.every((item, i) => equal(item, right[i]))
    );
  }
  if (isObject(left)) {
    if (!isObject(right)) return false;
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.every((key) => equal(left[key], right[key]));
  }
  return left === right;
}

/** Top-level keys whose values differ. */
export function changedKeys(olds: Properties, news: Properties): string[] {
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !equal(olds[key], news[key]),
  );
}
