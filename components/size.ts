import type { Problem } from "./settings/problems";

/** Sizes (`512Mi`, `10Gi`) and processors (`2`, `500m`) as people write them, with the units of Kubernetes. */

const UNITS: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

export const SIZE_RULE = "must be a whole number with the unit Mi, Gi or Ti";

/** The size in MiB, or undefined when the text is no size. */
export function sizeMiB(text: string): number | undefined {
  const match = /^([1-9][0-9]*)(Mi|Gi|Ti)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** A size within limits, both in MiB, and why they are what they are. */
export interface SizeRange {
  readonly least?: number;
  readonly greatest: number;
  readonly why: string;
  /** What to write, for messages. */
  readonly example: string;
}

/** 64 TiB: no block device is larger, nor is the memory of any machine. */
const GREATEST_MIB = 64 * 1024 * 1024;

export const VOLUME: SizeRange = {
  greatest: GREATEST_MIB,
  why: "no block device is larger",
  example: "10Gi",
};

/** A limit of memory; `least` in MiB. */
export const memoryRange = (least: number, why: string, example: string): SizeRange => ({
  ...{ least, greatest: GREATEST_MIB, why, example },
});

/** The size in MiB, the least of its range when it is none, and what is wrong with it. `setting` is its full path. */
export function resolveSize(
  setting: string,
  text: string,
  { least = 1, greatest, why, example }: SizeRange,
): { readonly mib: number; readonly problems: readonly Problem[] } {
  const mib = sizeMiB(text);
  const problem = (rule: string, remedy: string) => ({
    ...{ mib: least, problems: [{ setting, value: text, rule, remedy }] },
  });
  if (mib === undefined) return problem(SIZE_RULE, `Write for instance ${example}`);
  if (mib < least)
    return problem(`must be at least ${sizeText(least)}: ${why}`, `Use ${sizeText(least)} or more`);
  if (mib > greatest)
    return problem(`must be at most ${sizeText(greatest)}`, `Write for instance ${example}`);
  return { mib, problems: [] };
}

/** The size in the largest unit that makes it a whole number. */
export function sizeText(mib: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => mib % size === 0) ?? ["Mi", 1];
  return `${mib / size}${unit}`;
}

/** The most that Docker takes: the kernel's 262144 shares of 1024 each. */
const GREATEST_MILLIS = 256_000;
/** The kernel's least time of a period of 100 ms is 1 ms. */
const LEAST_LIMIT_MILLIS = 10;

export const CPU_RULE =
  "must be a number of cores with at most three decimals, or thousandths of a core with the unit m";

/** The processor time in thousandths of a core, or undefined when the text is none: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function cpuMillis(text: string | number): number | undefined {
  const [, thousandths, cores] = /^(?:([0-9]+)m|([0-9]+(?:\.[0-9]{1,3})?))$/.exec(String(text)) ?? [];
  const millis = thousandths === undefined ? Math.round(Number(cores) * 1000) : Number(thousandths);
  return millis > 0 ? millis : undefined;
}

export interface CpuSettings {
  /** Cores that are set aside for a member (`2`, `500m`). Default: none. */
  readonly cpu?: string | number;
  /** The most that a member gets (`2`, `500m`), or `none`. Default: what is set aside, or without that what is free. */
  readonly cpuLimit?: string | number;
}

/** In thousandths of a core; undefined: none is set aside, and there is no limit. */
export interface ResolvedCpu {
  readonly cpuMillis?: number;
  readonly cpuLimitMillis?: number;
}

/** What is wrong with an amount of processor time; `least` in thousandths of a core. */
export function cpuProblems(setting: string, value: string | number, least = 1): readonly Problem[] {
  const millis = cpuMillis(value);
  const remedy = "Write for instance 1 or 500m";
  if (millis === undefined) return [{ setting, value, rule: CPU_RULE, remedy }];
  return millis >= least && millis <= GREATEST_MILLIS
    ? []
    : [{ setting, value, rule: `must be from ${least}m to ${GREATEST_MILLIS / 1000} cores`, remedy }];
}

/** `section` is where the settings stand, for messages. */
export function resolveCpu(
  { cpu, cpuLimit }: CpuSettings,
  section: string,
): { readonly value: ResolvedCpu; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const millis = (setting: string, value: string | number, least: number): number | undefined => {
    const found = cpuProblems(`${section}.${setting}`, value, least);
    problems.push(...found);
    return found.length > 0 ? undefined : cpuMillis(value);
  };
  const aside = cpu === undefined ? undefined : millis("cpu", cpu, 1);
  const unlimited = cpuLimit === "none";
  const most = unlimited
    ? undefined
    : cpuLimit === undefined
      ? aside
      : millis("cpuLimit", cpuLimit, LEAST_LIMIT_MILLIS);
  if (aside !== undefined && most !== undefined && most < aside) {
    problems.push({
      setting: `${section}.cpuLimit`,
      value: cpuLimit,
      rule: `must not be less than what is set aside (${section}.cpu = ${cpu})`,
      remedy: "Raise it, or write none",
    });
  }
  return { value: { ...(aside && { cpuMillis: aside }), ...(most && { cpuLimitMillis: most }) }, problems };
}
