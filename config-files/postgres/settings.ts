import { SETTINGS_17 } from "./settings-17";

/** What PostgreSQL knows about one of its parameters. */
export interface Setting {
  readonly name: string;
  /** What a change needs. `fixed` settings are decided at build time or by initdb. */
  readonly change: "restart" | "reload" | "fixed";
  readonly kind: "bool" | "integer" | "real" | "enum" | "string" | "memory" | "time";
  /** Of a number: the unit of a value without one, `kB` for instance. */
  readonly unit?: string;
  /** Of a number: limits in that unit. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of an enumeration. */
  readonly values?: readonly string[];
}

/** Bytes per memory unit; PostgreSQL's are powers of 1024: https://www.postgresql.org/docs/17/config-setting.html */
const MEMORY_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};
/** Milliseconds per time unit. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The size of a unit, which may include a factor (`8kB`). */
function unitSize(unit: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d*)([A-Za-z]+)$/.exec(unit);
  const size = units[match?.[2] ?? ""];
  return size === undefined ? undefined : size * (match?.[1] ? Number(match[1]) : 1);
}

function parse(line: string): Setting {
  const [name = "", context = "", type = "", ...more] = line.split(" ");
  const [values, unit] = more;
  const change = context === "postmaster" ? "restart" : context === "internal" ? "fixed" : "reload";
  // `repeatable read` contains a space.
  if (type === "enum") return { name, change, kind: "enum", values: more.join(" ").split(",") };
  if (type === "bool" || type === "string") return { name, change, kind: type };
  const [minimum, maximum] = (values ?? "").split("..").map(Number);
  const kind = unit === undefined ? type : unit in TIME_UNITS ? "time" : "memory";
  return { name, change, kind: kind as Setting["kind"], unit, minimum, maximum };
}

const SETTINGS: ReadonlyMap<string, Setting> = new Map(
  SETTINGS_17.trim()
    .split("\n")
    .map((line) => [line.split(" ", 1)[0]?.toLowerCase() ?? "", parse(line)]),
);

export const SETTING_NAMES: readonly string[] = [...SETTINGS.values()].map((setting) => setting.name);

/** The parameter of that name; PostgreSQL's parameter names are case-insensitive. */
export const findSetting = (name: string): Setting | undefined => SETTINGS.get(name.toLowerCase());

/** The rule for values of the setting, for messages. */
export function valueRule(setting: Setting): string {
  const limits =
    setting.minimum === undefined
      ? ""
      : ` from ${setting.minimum} to ${setting.maximum ?? ""}${setting.unit ?? ""}`;
  switch (setting.kind) {
    case "bool":
      return "must be on or off";
    case "enum":
      return `must be one of ${setting.values?.join(", ") ?? ""}`;
    case "memory":
      return `must be a size such as 64MB (units B, kB, MB, GB, TB; a number without a unit is in ${setting.unit ?? ""})${limits}`;
    case "time":
      return `must be a time such as 10s (units us, ms, s, min, h, d; a number without a unit is in ${setting.unit ?? ""})${limits}`;
    case "integer":
      return `must be a whole number${limits}`;
    case "real":
      return `must be a number${limits}`;
    case "string":
      return "must be a single line of text";
  }
}

/** A number with or without a unit, converted to the setting's own unit; undefined if it is not a number. */
function numberOf(setting: Setting, text: string): number | undefined {
  const match = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  if (!match) return undefined;
  const number = Number(match[1]);
  const given = match[2] ?? "";
  if (given === "") return setting.kind === "integer" && !Number.isInteger(number) ? undefined : number;
  const units = setting.kind === "memory" ? MEMORY_UNITS : setting.kind === "time" ? TIME_UNITS : {};
  const size = units[given];
  const base = unitSize(setting.unit ?? "", units);
  return size === undefined || base === undefined ? undefined : (number * size) / base;
}

const BOOLEANS = /^(on|off|true|false|yes|no|1|0)$/i;

/** Whether PostgreSQL would accept the value. */
export function isValid(setting: Setting, value: string): boolean {
  switch (setting.kind) {
    case "bool":
      return BOOLEANS.test(value);
    case "enum":
      return setting.values?.some((known) => known.toLowerCase() === value.toLowerCase()) ?? false;
    case "string":
      return !/[\r\n\0]/.test(value);
    default: {
      const number = numberOf(setting, value);
      return (
        number !== undefined &&
        number >= (setting.minimum ?? -Infinity) &&
        number <= (setting.maximum ?? Infinity)
      );
    }
  }
}

/** The value of a memory setting in MiB; undefined for special values (-1) and invalid ones. */
export function memoryMiB(name: string, value: string): number | undefined {
  const setting = findSetting(name);
  if (setting?.kind !== "memory") return undefined;
  const number = numberOf(setting, value);
  const base = unitSize(setting.unit ?? "", MEMORY_UNITS);
  return number === undefined || base === undefined || number < 0 ? undefined : (number * base) / 1024 ** 2;
}

/** The value of a numeric setting in its own unit. */
export function numericValue(name: string, value: string): number | undefined {
  const setting = findSetting(name);
  return setting && numberOf(setting, value);
}
