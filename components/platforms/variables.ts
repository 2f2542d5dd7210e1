/**
 * The per-replica variables in a `WorkloadSpec`, with the syntax of Kubernetes, so that both platforms expand a text in the same way:
 * `$(NAME)` is replaced, `$$` is one `$`, and any other `$` is literal.
 * https://github.com/kubernetes/kubernetes/blob/master/third_party/forked/golang/expansion/expand.go
 */
export const REPLICA_VARIABLES = ["REPLICA_NAME", "REPLICA_ADDRESS", "REPLICA_ORDINAL"] as const;
export type ReplicaVariable = (typeof REPLICA_VARIABLES)[number];
export type ReplicaVariables = Readonly<Record<ReplicaVariable, string>>;

/** A piece of a text: literal, or the name of a variable. */
export type TextPart = { readonly literal: string } | { readonly variable: ReplicaVariable };

/** Splits a text. Throws on an unknown variable or an unclosed parenthesis, which Kubernetes would leave as they are. */
export function parseText(text: string, path: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let literal = "";
  for (let i = 0; i < text.length; i++) {
    const next = text.charAt(i) === "$" ? text.charAt(i + 1) : "";
    if (next === "$") {
      literal += "$";
      i++;
    } else if (next === "(") {
      const end = text.indexOf(")", i);
      const name = end < 0 ? text.slice(i + 2) : text.slice(i + 2, end);
      const variable = REPLICA_VARIABLES.find((known) => known === name);
      if (end < 0 || !variable) {
        throw new Error(
          `${path}: unknown variable $(${name}${end < 0 ? "" : ")"}. Use one of ${REPLICA_VARIABLES.map((v) => `$(${v})`).join(", ")}, or write $$( for a literal $(`,
        );
      }
      if (literal) parts.push({ literal });
      literal = "";
      parts.push({ variable });
      i = end;
    } else {
      literal += text.charAt(i);
    }
  }
  if (literal) parts.push({ literal });
  return parts;
}

/** The text with the variables of a replica expanded. */
export const expandText = (text: string, values: ReplicaVariables, path: string): string =>
  parseText(text, path)
    .map((part) => ("variable" in part ? values[part.variable] : part.literal))
    .join("");

/** A command with all its texts expanded. */
export const expandCommand = (
  command: readonly string[],
  values: ReplicaVariables,
  path: string,
): readonly string[] => command.map((text, i) => expandText(text, values, `${path}[${i}]`));
