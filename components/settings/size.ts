import type { Problem } from "./problems";

/** Sizes (`512Mi`, `10Gi`) and numbers of cores (`2`, `500m`), in Kubernetes' notation. */

const UNITS: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

export const SIZE_RULE = "must be a whole number with the unit Mi, Gi or Ti";

/** The size in MiB, or undefined if the text is not a size. */
export function sizeMiB(text: string): number | undefined {
  const match = /^([1-9][0-9]*)(Mi|Gi|Ti)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** The limits of a size, in MiB, and their reason. */
export interface SizeRange {
  readonly least?: number;
  readonly greatest: number;
  readonly why: string;
  /** An example, for messages. */
  readonly example: string;
}

/** 64 TiB: no block device and no machine's memory is larger. */
const GREATEST_MIB = 64 * 1024 * 1024;

export const VOLUME: SizeRange = {
  greatest: GREATEST_MIB,
  why: "no block device is larger",
  example: "10Gi",
};

/** The range of a memory limit. `least` is in MiB. */
export const memoryRange = (least: number, why: string, example: string): SizeRange => ({
  ...{ least, greatest: GREATEST_MIB, why, example },
});

/** What is wrong with a size, if anything. */
export function sizeFault(
  text: string,
  { least = 1, greatest, why, example }: SizeRange,
): Pick<Problem, "rule" | "remedy"> | undefined {
  const mib = sizeMiB(text);
  if (mib === undefined) return { rule: SIZE_RULE, remedy: `Use ${example}, for example` };
  if (mib < least)
    return {
      rule: `must be at least ${sizeText(least)}: ${why}`,
      remedy: `Use ${sizeText(least)} or more`,
    };
  return mib > greatest
    ? { rule: `must be at most ${sizeText(greatest)}`, remedy: `Use ${example}, for example` }
    : undefined;
}

/** The size in MiB of a text that has been checked. */
export function mebibytes(text: string): number {
  const mib = sizeMiB(text);
  if (mib === undefined) throw new RangeError(`${text} is not a size: it ${SIZE_RULE}`);
  return mib;
}

/** The size in the largest unit in which it is a whole number. */
export function sizeText(mib: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, size]) => mib % size === 0) ?? ["Mi", 1];
  return `${mib / size}${unit}`;
}

/** Docker's maximum: 262144 CPU shares, 1024 per core. */
const GREATEST_MILLIS = 256_000;
export const CPU_RULE =
  "must be a number of cores with at most three decimals, or thousandths of a core with the unit m";

/** Thousandths of a core, or undefined if the text is not an amount: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function cpuMillis(text: string | number): number | undefined {
  const [, thousandths, cores] = /^(?:([0-9]+)m|([0-9]+(?:\.[0-9]{1,3})?))$/.exec(String(text)) ?? [];
  const millis = thousandths === undefined ? Math.round(Number(cores) * 1000) : Number(thousandths);
  return millis > 0 ? millis : undefined;
}

/** What is wrong with a number of cores, if anything. `least` is in thousandths of a core. */
export function cpuFault(value: string | number, least = 1): Pick<Problem, "rule" | "remedy"> | undefined {
  const millis = cpuMillis(value);
  const remedy = "Use 1 or 500m, for example";
  if (millis === undefined) return { rule: CPU_RULE, remedy };
  return millis >= least && millis <= GREATEST_MILLIS
    ? undefined
    : { rule: `must be from ${least}m to ${GREATEST_MILLIS / 1000} cores`, remedy };
}
