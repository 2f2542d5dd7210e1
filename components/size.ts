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

/** `section` is where the settings stand, for messages. */
export function resolveCpu(
  { cpu, cpuLimit }: CpuSettings,
  section: string,
): { readonly value: ResolvedCpu; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const millis = (setting: string, value: string | number): number | undefined => {
    const found = cpuMillis(value);
    if (found === undefined) {
      const remedy = "Write for instance 1 or 500m";
      problems.push({ setting: `${section}.${setting}`, value, rule: CPU_RULE, remedy });
    }
    return found;
  };
  const aside = cpu === undefined ? undefined : millis("cpu", cpu);
  const unlimited = cpuLimit === "none";
  const most = unlimited ? undefined : cpuLimit === undefined ? aside : millis("cpuLimit", cpuLimit);
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
