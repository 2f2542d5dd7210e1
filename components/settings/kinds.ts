import { z } from "zod";
import type { Problem } from "./problems";
import { CPU_RULE, cpuFault, SIZE_RULE, sizeFault, type SizeRange, sizeText } from "./size";

/** The kinds of values that settings have. Each defines its checks and its name in README's table. */

/** Why a value is rejected, and what to write instead. */
export type Fault = Pick<Problem, "rule" | "remedy">;

/** The name of a kind, by its schema. */
export const KINDS = z.registry<{ readonly kind: string }>();

const called = <T extends z.ZodType>(kind: string, type: T): T => {
  KINDS.add(type, { kind });
  return type;
};

/** `type`, restricted to values for which `fault` returns nothing. */
export const checked = <T extends z.ZodType>(
  kind: string,
  type: T,
  fault: (value: z.output<T>) => Fault | undefined,
): T =>
  called(
    kind,
    type.check((context) => {
      const found = fault(context.value);
      if (found === undefined) return;
      const { rule, remedy } = found;
      context.issues.push({
        code: "custom",
        message: rule,
        params: { remedy },
        input: context.value,
        continue: true,
      });
    }),
  );

/** A whole number for which `fault` returns nothing. */
export const integer = (kind: string, fault: (value: number) => Fault | undefined) =>
  checked(kind, z.number().int(), fault);

/** A whole number within limits. */
export const count = (least: number, greatest: number, fault: Partial<Fault> = {}) =>
  integer(`${least} to ${greatest}`, (value) =>
    value >= least && value <= greatest
      ? undefined
      : {
          rule: `must be a whole number from ${least} to ${greatest}`,
          remedy: "Use a number in that range",
          ...fault,
        },
  );

/** An amount of memory or of a volume. */
export const size = (range: SizeRange) =>
  checked(
    range.least === undefined ? "size" : `size, at least \`${sizeText(range.least)}\``,
    z.string({ error: `${SIZE_RULE}, such as 512Mi` }),
    (text) => sizeFault(text, range),
  );

/** A number of cores, or one of the words in `also`. `least` is in thousandths of a core. */
export const cores = (least = 1, ...also: readonly string[]) =>
  checked(
    ["cores", ...also.map((word) => `\`${word}\``)].join(" or "),
    z.union([z.number(), z.string()], { error: CPU_RULE }),
    (value) => (also.includes(String(value)) ? undefined : cpuFault(value, least)),
  );

export const text = () => called("text", z.string());
export const flag = () => called("`true` or `false`", z.boolean());
export const choice = <const T extends readonly string[]>(...options: T) =>
  called(options.map((option) => `\`${option}\``).join(", "), z.enum(options));
/** A text for which `fault` returns nothing. */
export const checkedText = (kind: string, fault: (text: string) => Fault | undefined) =>
  checked(kind, z.string(), fault);
export const list = <T extends z.ZodType>(kind: string, element: T, least = 0) =>
  called(kind, z.array(element).min(least).readonly());
/** Values by name. */
export const byName = <T extends z.ZodType>(kind: string, value: T) =>
  called(kind, z.record(z.string(), value).readonly());
