import type { Exchanges } from "./scenario";

/** What is another one at each run: of the engine, of the moment, or by chance. */
const VOLATILE: readonly [RegExp, string][] = [
  [/sha256:[0-9a-f]{64}/g, "<digest>"],
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b172\.\d+\.\d+\.\d+(\/\d+)?/g, "<address>"],
  [/\b(192\.168|10)\.\d+\.\d+(\.\d+)?(\/\d+)?/g, "<address>"],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\$2a\$\d+\$[./A-Za-z0-9]{53}/g, "<hash>"],
  [/"result":"[A-Za-z0-9]{32}"/g, '"result":"<password>"'],
  [/"external":\d{4,5}/g, '"external":"<port>"'],
];

/** The same whatever the run; `names` are replaced by the words beside them. */
export function normal(exchanges: Exchanges, names: Readonly<Record<string, string>>): Exchanges {
  let text = JSON.stringify(exchanges);
  for (const [name, word] of Object.entries(names)) text = text.replaceAll(name, word);
  for (const [pattern, word] of VOLATILE) text = text.replace(pattern, word);
  return JSON.parse(text, (_, value: unknown) => ordered(value)) as Exchanges;
}

/** The vendor's plugin keeps uploads, labels and volumes as sets, in an order of its own. */
const ordered = (value: unknown): unknown =>
  Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null)
    ? [...(value as unknown[])].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : value;
