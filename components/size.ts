/** Sizes as people write them (`512Mi`, `10Gi`), with binary units as in Kubernetes. */

const UNITS: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

export const SIZE_RULE = "must be a whole number with the unit Mi, Gi or Ti";

/** The size in MiB, or undefined when the text is no size. */
export function sizeMiB(text: string): number | undefined {
  const match = /^([1-9][0-9]*)(Mi|Gi|Ti)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}
