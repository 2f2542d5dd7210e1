// random:* from the system's random numbers.

import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { genSaltSync, hashSync } from "bcryptjs";
import { changedKeys, type Properties, UNKNOWN, type Value } from "../properties";
import { notServed, type Provider } from "../provider";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

interface Kind {
  check?(inputs: Properties): string | undefined;
  create(inputs: Properties): { id: string; outputs: Properties };
}

const on = (value: Value | undefined): boolean => value !== false;
const count = (value: Value | undefined): number => (typeof value === "number" ? value : 0);

/** The settings of a random string with the defaults of the real provider, which stores them among the outputs. */
function stringSettings(inputs: Properties): Properties {
  return {
    ...inputs,
    length: count(inputs.length),
    lower: on(inputs.lower),
    minLower: count(inputs.minLower),
    minNumeric: count(inputs.minNumeric),
    minSpecial: count(inputs.minSpecial),
    minUpper: count(inputs.minUpper),
    // `number` is the old name of `numeric`; both are kept.
    number: on(inputs.numeric) && on(inputs.number),
    numeric: on(inputs.numeric) && on(inputs.number),
    special: on(inputs.special),
    upper: on(inputs.upper),
  };
}

function checkString(inputs: Properties): string | undefined {
  if (Object.values(inputs).includes(UNKNOWN)) return undefined;
  const settings = stringSettings(inputs);
  const required =
    count(settings.minLower) +
    count(settings.minNumeric) +
    count(settings.minSpecial) +
    count(settings.minUpper);
  if (count(settings.length) < 1) return `length is ${count(settings.length)}; it must be at least 1`;
  if (required > count(settings.length))
    return `length is ${count(settings.length)}, but the minima add up to ${required}`;
  if (alphabets(settings).every(({ letters, use }) => !use || letters === ""))
    return "no kind of character is allowed";
  return undefined;
}

function alphabets(settings: Properties): { letters: string; use: boolean; least: number }[] {
  const special = typeof settings.overrideSpecial === "string" ? settings.overrideSpecial : SPECIAL;
  return [
    { letters: LOWER, use: settings.lower === true, least: count(settings.minLower) },
    { letters: UPPER, use: settings.upper === true, least: count(settings.minUpper) },
    { letters: DIGITS, use: settings.numeric === true, least: count(settings.minNumeric) },
    { letters: special, use: settings.special === true, least: count(settings.minSpecial) },
  ];
}

export function randomString(inputs: Properties): string {
  const kinds = alphabets(stringSettings(inputs));
  const pick = (letters: string): string => letters.charAt(randomInt(letters.length));
  const characters = kinds.flatMap(({ letters, least }) =>
    Array.from({ length: least }, () => pick(letters)),
  );
  const all = kinds.map(({ letters, use }) => (use ? letters : "")).join("");
  while (characters.length < count(inputs.length)) characters.push(pick(all));
  // Fisher and Yates: without it the required characters would always stand first.
  for (let i = characters.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [characters[i], characters[j]] = [characters[j] as string, characters[i] as string];
  }
  return characters.join("");
}

function createId(inputs: Properties): { id: string; outputs: Properties } {
  const bytes = randomBytes(Math.max(1, count(inputs.byteLength)));
  const id = bytes.toString("base64url");
  const prefix = typeof inputs.prefix === "string" ? inputs.prefix : "";
  const hex = bytes.toString("hex");
  return {
    id,
    outputs: {
      ...inputs,
      id,
      b64Std: prefix + bytes.toString("base64"),
      b64Url: prefix + id,
      dec: prefix + BigInt(`0x${hex}`).toString(),
      hex: prefix + hex,
    },
  };
}

/** As Go's library writes it: the same hash under the older name, which every reader knows. */
const bcryptHash = (password: string): string => hashSync(password, genSaltSync(10).replace("$2b$", "$2a$"));

const KINDS: Record<string, Kind> = {
  "random:index/randomPassword:RandomPassword": {
    check: checkString,
    create: (inputs) => {
      const result = randomString(inputs);
      const outputs = { ...stringSettings(inputs), id: "none", result, bcryptHash: bcryptHash(result) };
      return { id: "none", outputs: { ...outputs, __meta: '{"schema_version":"3"}' } };
    },
  },
  "random:index/randomString:RandomString": {
    check: checkString,
    create: (inputs) => {
      const result = randomString(inputs);
      return {
        id: result,
        outputs: { ...stringSettings(inputs), id: result, result, __meta: '{"schema_version":"2"}' },
      };
    },
  },
  "random:index/randomId:RandomId": { create: createId },
  "random:index/randomUuid:RandomUuid": {
    create: (inputs) => {
      const result = randomUUID();
      return { id: result, outputs: { ...inputs, id: result, result } };
    },
  },
};

export function randomProvider(type: string): Provider {
  const kind = KINDS[type];
  if (kind === undefined) throw notServed(type);
  return {
    check: (_, news) => {
      const problem = kind.check?.(news);
      return {
        inputs: news,
        failures: problem === undefined ? [] : [{ property: "length", reason: problem }],
      };
    },
    // Another wish is another value: everything replaces.
    diff: (_, olds, news) => {
      const keys = changedKeys(olds.inputs, news);
      return { changedKeys: keys, replaceKeys: keys };
    },
    create: (_, inputs) => kind.create(inputs),
    read: ({ id }, _inputs, outputs) => ({ id, outputs }),
    update: (_, olds) => olds,
    delete: () => undefined,
  };
}
