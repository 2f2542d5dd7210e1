import { Document, visit } from "yaml";

/** Plain data that can be written as YAML. `undefined` properties are left out. */
export type YamlValue =
  string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

/** Characters that a YAML 1.1 parser rejects or treats as line breaks, and that the package does not escape. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A key that every parser reads as text: https://yaml.org/type/bool.html has the special words of YAML 1.1. */
const PLAIN_KEY = /^(?!(y|n|yes|no|on|off|true|false|null)$)[a-z_][\w.-]*$/i;

/** `1e+21` is text to a YAML 1.1 parser, and Infinity is never needed. */
function refuseOtherNumbers(_key: unknown, value: unknown): unknown {
  if (typeof value === "number" && !/^-?\d+(\.\d+)?$/.test(String(value)))
    throw new Error(
      `the number ${value} cannot be written as YAML 1.1: it must be finite and without an exponent`,
    );
  return value;
}

/**
 * The data as YAML that parsers of 1.1 (PyYAML, and so Patroni) and of 1.2 read in the same way. `heading` becomes comment lines above it.
 *
 * Every text is quoted: parsers of 1.1 read `on`, `12:30`, `1_000` and `=` as something else, and the package's own 1.1 schema does not quote
 * some of them.
 */
export function yaml(value: YamlValue, heading: readonly string[] = []): string {
  const document = new Document(value, refuseOtherNumbers, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(place, node) {
      const text = typeof node.value === "string" ? node.value : undefined;
      if (text !== undefined && (place !== "key" || !PLAIN_KEY.test(text))) node.type = "QUOTE_DOUBLE";
    },
  });
  const text = document.toString({ lineWidth: 0 });
  return heading.map((line) => `# ${line}`.trimEnd() + "\n").join("") + text.replace(UNSAFE, escapeCharacter);
}
