/** Sizes (`512Mi`, `10Gi`) and processors (`2`, `500m`) as people write them, with the units of Kubernetes. */

const UNITS: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

export const SIZE_RULE = "must be a whole number with the unit Mi, Gi or Ti";

/** The size in MiB, or undefined when the text is no size. */
export function sizeMiB(text: string): number | undefined {
  const match = /^([1-9][0-9]*)(Mi|Gi|Ti)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

export const CPU_RULE =
  "must be a number of cores with at most three decimals, or thousandths of a core with the unit m";

/** The processor time in thousandths of a core, or undefined when the text is none: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function cpuMillis(text: string | number): number | undefined {
  const [, thousandths, cores] = /^(?:([0-9]+)m|([0-9]+(?:\.[0-9]{1,3})?))$/.exec(String(text)) ?? [];
  const millis = thousandths === undefined ? Math.round(Number(cores) * 1000) : Number(thousandths);
  return millis > 0 ? millis : undefined;
}
