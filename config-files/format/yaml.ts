/** What can be written: plain data. A property that is `undefined` is left out. */
export type YamlValue =
  string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

/**
 * Words that a YAML 1.1 reader (PyYAML, so Patroni) takes for booleans or null. YAML 1.2 writers, the npm package `yaml` with its 1.1
 * schema among them, leave some of them or `=`, `<<` and next-line characters bare; hence this writer, which quotes whatever is not
 * plainly a word. https://yaml.org/type/bool.html
 */
const RESERVED_WORDS = new Set(["y", "n", "yes", "no", "on", "off", "true", "false", "null"]);

/** Begins with a letter, an underscore or a slash, so it is no number, date or time; holds nothing that YAML gives a meaning. */
const PLAIN_TEXT = /^[A-Za-z_/][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./@+-]+)*$/;

/** Line breaks and marks that JSON leaves as they are and YAML does not. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const escapeCharacter = (character: string): string =>
  "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");

function textOf(value: string): string {
  if (PLAIN_TEXT.test(value) && !RESERVED_WORDS.has(value.toLowerCase())) return value;
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, escapeCharacter);
}

function numberOf(value: number): string {
  const text = String(value);
  // `1e+21` is text to a YAML 1.1 reader, and nothing of ours needs Infinity.
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`the number ${text} cannot be written as YAML 1.1`);
  return text;
}

const isBranch = (value: YamlValue): value is Exclude<YamlValue, string | number | boolean | null> =>
  typeof value === "object" && value !== null;

function linesOf(value: YamlValue, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: YamlValue) => placed(`${indent}-`, item, `${indent}  `, true));
  }
  return Object.entries(value as Record<string, YamlValue | undefined>).flatMap(([key, item]) =>
    item === undefined ? [] : placed(`${indent}${textOf(key)}:`, item, `${indent}  `, false),
  );
}

/** `head` is a key or a dash; the value follows on the same line where it can, or below it. */
function placed(head: string, value: YamlValue, indent: string, inSequence: boolean): string[] {
  if (!isBranch(value)) return [`${head} ${scalarOf(value)}`];
  const lines = linesOf(value, indent);
  if (lines.length === 0) return [`${head} ${Array.isArray(value) ? "[]" : "{}"}`];
  const first = lines[0] ?? "";
  return inSequence ? [`${head} ${first.slice(indent.length)}`, ...lines.slice(1)] : [head, ...lines];
}

function scalarOf(value: string | number | boolean | null): string {
  if (typeof value === "string") return textOf(value);
  return typeof value === "number" ? numberOf(value) : String(value);
}

/** The data as block-style YAML that readers of YAML 1.1 and 1.2 agree on. `heading` becomes comment lines above it. */
export function yaml(value: YamlValue, heading: readonly string[] = []): string {
  const body = isBranch(value) ? linesOf(value, "") : [scalarOf(value)];
  const lines = body.length > 0 ? body : [Array.isArray(value) ? "[]" : "{}"];
  return [...heading.map((line) => `# ${line}`.trimEnd()), ...lines].join("\n") + "\n";
}
