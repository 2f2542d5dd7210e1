import type { Exchanges } from "./scenario";

/** What is another one at each run: of the engine, of the moment, or by chance. */
const VOLATILE: readonly [RegExp, string][] = [
  [/sha256:[0-9a-f]{64}/g, "<digest>"],
  [/\b[0-9a-f]{64}\b/g, "<id>"],
  [/\b172\.\d+\.\d+\.\d+(\/\d+)?/g, "<address>"],
  [/\b(192\.168|10)\.\d+\.\d+(\.\d+)?(\/\d+)?/g, "<address>"],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>"],
  [/\$2a\$\d+\$[./A-Za-z0-9]{53}/g, "<hash>"],
  [/"ipPrefixLength":\d+/g, '"ipPrefixLength":16'],
  [/"result":"[A-Za-z0-9]{32}"/g, '"result":"<password>"'],
];

/** Of the framework that the vendor's plugins are built with; states from before it have none. */
const OF_THE_FRAMEWORK = "__pulumi_raw_state_delta";
/** For the same thing the vendor's plugins write one after a create, and another one after a read. */
const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === 0 ||
  value === "" ||
  value === false ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** What an answer means: without what says nothing. */
export function meaning(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(meaning);
  if (typeof answer !== "object" || answer === null) return answer;
  const entries = Object.entries(answer)
    .filter(([key]) => key !== OF_THE_FRAMEWORK)
    .map(([key, value]) => [key, meaning(value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => !isEmpty(value)));
}

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
