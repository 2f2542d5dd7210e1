import { Document, visit } from "yaml";

/** What can be written: plain data. A property that is `undefined` is left out. */
export type YamlValue =
  string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

/** Characters that a reader of YAML 1.1 refuses or takes for line breaks, and that the package writes as they are. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

const escapeCharacter = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A key that means nothing else to any reader: https://yaml.org/type/bool.html has the words of YAML 1.1. */
const PLAIN_KEY = /^(?!(y|n|yes|no|on|off|true|false|null)$)[a-z_][\w.-]*$/i;

/** `1e+21` is text to a reader of YAML 1.1, and nothing of ours needs Infinity. */
function refuseOtherNumbers(_key: unknown, value: unknown): unknown {
  if (typeof value === "number" && !/^-?\d+(\.\d+)?$/.test(String(value)))
    throw new Error(`the number ${value} cannot be written as YAML 1.1`);
  return value;
}

/**
 * The data as YAML that readers of 1.1 (PyYAML, so Patroni) and 1.2 agree on. `heading` becomes comment lines above it.
 *
 * Every text is quoted: to readers of 1.1 `on`, `12:30`, `1_000` and `=` mean something else, and the package's own schema of 1.1 leaves some
 * of them bare.
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
