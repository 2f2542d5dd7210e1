import type { Problem } from "./problems";

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

/** What is wrong with a size. */
export function sizeFault(
  text: string,
  { least = 1, greatest, why, example }: SizeRange,
): Pick<Problem, "rule" | "remedy"> | undefined {
  const mib = sizeMiB(text);
  if (mib === undefined) return { rule: SIZE_RULE, remedy: `Write for instance ${example}` };
  if (mib < least)
    return {
      rule: `must be at least ${sizeText(least)}: ${why}`,
      remedy: `Use ${sizeText(least)} or more`,
    };
  return mib > greatest
    ? { rule: `must be at most ${sizeText(greatest)}`, remedy: `Write for instance ${example}` }
    : undefined;
}

/** The size in MiB of a text that was checked. */
export function mebibytes(text: string): number {
  const mib = sizeMiB(text);
  if (mib === undefined) throw new RangeError(`${text} is no size: it ${SIZE_RULE}`);
  return mib;
}

/** The size in the largest unit that makes it a whole number. */
export function sizeText(mib: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => mib % size === 0) ?? ["Mi", 1];
  return `${mib / size}${unit}`;
}

/** The most that Docker takes: the kernel's 262144 shares of 1024 each. */
const GREATEST_MILLIS = 256_000;
export const CPU_RULE =
  "must be a number of cores with at most three decimals, or thousandths of a core with the unit m";

/** The processor time in thousandths of a core, or undefined when the text is none: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function cpuMillis(text: string | number): number | undefined {
  const [, thousandths, cores] = /^(?:([0-9]+)m|([0-9]+(?:\.[0-9]{1,3})?))$/.exec(String(text)) ?? [];
  const millis = thousandths === undefined ? Math.round(Number(cores) * 1000) : Number(thousandths);
  return millis > 0 ? millis : undefined;
}

/** What is wrong with an amount of processor time; `least` in thousandths of a core. */
export function cpuFault(value: string | number, least = 1): Pick<Problem, "rule" | "remedy"> | undefined {
  const millis = cpuMillis(value);
  const remedy = "Write for instance 1 or 500m";
  if (millis === undefined) return { rule: CPU_RULE, remedy };
  return millis >= least && millis <= GREATEST_MILLIS
    ? undefined
    : { rule: `must be from ${least}m to ${GREATEST_MILLIS / 1000} cores`, remedy };
}
