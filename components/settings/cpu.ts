import { cores } from "./kinds";
import type { Problem } from "./problems";
import { setting, type Written } from "./setting";
import { cpuMillis } from "./size";
import type { z } from "zod";

/** The kernel's least time of a period of 100 ms is 1 ms. */
const LEAST_LIMIT_MILLIS = 10;

/** CPU request and limit of a member. */
export const CPU_SETTINGS = {
  /** CPU request of a member, in cores (`2`, `500m`). */
  cpu: setting(cores(), { cost: "replacement", otherwise: "none" }),
  /** CPU limit of a member, in cores, or `none` for no limit. */
  cpuLimit: setting(cores(LEAST_LIMIT_MILLIS, "none"), { cost: "replacement", otherwise: "as `cpu`" }),
};

export type CpuSettings = Written<z.ZodObject<typeof CPU_SETTINGS>>;

/** In thousandths of a core. Undefined: no request, no limit. */
export interface ResolvedCpu {
  readonly cpuMillis?: number;
  readonly cpuLimitMillis?: number;
}

/** `section` is the path of the settings, for messages. Each value has been checked already. */
export function resolveCpu(
  { cpu, cpuLimit }: CpuSettings,
  section: string,
): { readonly value: ResolvedCpu; readonly problems: readonly Problem[] } {
  const millis = (value: string | number | undefined): number | undefined =>
    value === undefined ? undefined : cpuMillis(value);
  const aside = millis(cpu);
  const most = millis(cpuLimit === "none" ? undefined : (cpuLimit ?? cpu));
  const value = { ...(aside && { cpuMillis: aside }), ...(most && { cpuLimitMillis: most }) };
  if (aside === undefined || most === undefined || most >= aside) return { value, problems: [] };
  const rule = `must not be less than the request (${section}.cpu = ${cpu})`;
  return {
    value,
    problems: [{ setting: `${section}.cpuLimit`, value: cpuLimit, rule, remedy: "Raise it, or write none" }],
  };
}
