// Property values as they travel between the program, the engine and the providers: plain JSON, in which objects
// with a signature stand for secrets and resource references and one fixed string stands for "not known yet".

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

/** The key that marks an object as something other than itself, and the marks (fixed by Pulumi's wire format). */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** Stands for a value that only the real update will know. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Value | undefined): value is { value: Value; [SIGNATURE]: string } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** The value with every secret's wrapping taken off, at any depth. */
export function unwrap(value: Value): Value {
  if (Array.isArray(value)) return value.map(unwrap);
  if (!isObject(value)) return value;
  if (isSecret(value)) return unwrap(value.value);
  return unwrapAll(value);
}

export function unwrapAll(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, unwrap(value)]));
}

function contains(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => contains(item, test));
  return isObject(value) && Object.values(value).some((item) => contains(item, test));
}

export const containsSecret = (value: Value): boolean => contains(value, isSecret);
export const containsUnknown = (value: Value): boolean => contains(value, (item) => item === UNKNOWN);

/**
 * Providers here see values without the wrapping. What they return is secret again where the input of the same name
 * was (or held) a secret; that is the rule of the Pulumi engine too.
 */
export function annotateSecrets(outputs: Properties, inputs: Properties): Properties {
  const annotated = { ...outputs };
  for (const [key, input] of Object.entries(inputs)) {
    const output = annotated[key];
    if (output === undefined) continue;
    if (isObject(output) && isObject(input) && !isSecret(output) && !isSecret(input)) {
      annotated[key] = annotateSecrets(output, input);
    } else if (containsSecret(input)) {
      annotated[key] = secret(output);
    }
  }
  return annotated;
}

export function markSecret(outputs: Properties, keys: readonly string[]): Properties {
  const marked = { ...outputs };
  for (const key of keys) {
    const value = marked[key];
    if (value !== undefined) marked[key] = secret(value);
  }
  return marked;
}

/** Equality of what is meant, whatever is wrapped and in whatever order the keys stand. */
export function equal(left: Value | undefined, right: Value | undefined): boolean {
  if (isSecret(left)) return equal(left.value, right);
  if (isSecret(right)) return equal(left, right.value);
  return compare(left, right, equal);
}

/** Equality that also sees what is secret and what is not. */
export function identical(left: Value | undefined, right: Value | undefined): boolean {
  return compare(left, right, identical);
}

function compare(
  left: Value | undefined,
  right: Value | undefined,
  inner: (left: Value | undefined, right: Value | undefined) => boolean,
): boolean {
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) && left.length === right.length && left.every((item, i) => inner(item, right[i]))
    );
  }
  if (isObject(left)) {
    if (!isObject(right)) return false;
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.every((key) => inner(left[key], right[key]));
  }
  return left === right;
}

/** Top-level keys whose values differ. */
export function changedKeys(olds: Properties, news: Properties): string[] {
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !equal(olds[key], news[key]),
  );
}

/** Every string inside the secrets of a value: what must never be printed. */
export function secretStrings(value: Value, inside = false): string[] {
  if (typeof value === "string") return inside ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => secretStrings(item, inside));
  if (isSecret(value)) return secretStrings(value.value, true);
  if (isObject(value)) return Object.values(value).flatMap((item) => secretStrings(item, inside));
  return inside && typeof value === "number" ? [String(value)] : [];
}

export type PathStep = string | number;

/** `a.b[0]["c.d"]` as steps; `*` stands for every element. */
export function parsePath(path: string): PathStep[] {
  const steps: PathStep[] = [];
  for (const match of path.matchAll(/\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[\*\]|([^.[\]]+)/g)) {
    if (match[1] !== undefined) steps.push(Number(match[1]));
    else if (match[2] !== undefined) steps.push(match[2].replace(/\\(.)/g, "$1"));
    else steps.push(match[3] ?? "*");
  }
  return steps;
}

/** Does everything under `path` include `other`? */
export function pathContains(path: readonly PathStep[], other: readonly PathStep[]): boolean {
  return path.length <= other.length && path.every((step, i) => step === "*" || step === other[i]);
}

/** `news` with the values at `path` put back to what they were in `olds` (the option ignoreChanges). */
export function resetPath(
  olds: Value | undefined,
  news: Value | undefined,
  path: readonly PathStep[],
): Value | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return olds;
  if (isSecret(olds)) olds = olds.value;
  if (isSecret(news)) {
    const reset = resetPath(olds, news.value, path);
    return reset === undefined ? undefined : secret(reset);
  }
  if (Array.isArray(news)) {
    const before = Array.isArray(olds) ? olds : [];
    // Elements that exist on one side only cannot be put back, as in the Pulumi engine.
    return news.map((item, i) =>
      (step === "*" || step === i) && i < before.length ? (resetPath(before[i], item, rest) ?? item) : item,
    );
  }
  if (!isObject(news)) return news;
  const before = isObject(olds) ? olds : {};
  const result: Record<string, Value | undefined> = { ...news };
  const keys = step === "*" ? [...new Set([...Object.keys(before), ...Object.keys(news)])] : [String(step)];
  for (const key of keys) {
    const value = resetPath(before[key], news[key], rest);
    result[key] = value;
  }
  return Object.fromEntries(
    Object.entries(result).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}
