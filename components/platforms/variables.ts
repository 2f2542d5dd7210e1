/**
 * The per-replica variables that texts of a `WorkloadSpec` may hold, with the grammar of Kubernetes' own expansion, so that both
 * platforms read a text alike: `$(NAME)` is replaced, `$$` stands for one `$`, any other `$` for itself.
 * https://github.com/kubernetes/kubernetes/blob/master/third_party/forked/golang/expansion/expand.go
 */
export const REPLICA_VARIABLES = ["REPLICA_NAME", "REPLICA_ADDRESS", "REPLICA_ORDINAL"] as const;
export type ReplicaVariable = (typeof REPLICA_VARIABLES)[number];
export type ReplicaVariables = Readonly<Record<ReplicaVariable, string>>;

/** A piece of a text: literal, or the name of a variable. */
export type TextPart = { readonly literal: string } | { readonly variable: ReplicaVariable };

/** Takes a text apart. Throws on an unknown variable or an open parenthesis, which Kubernetes would pass on as they are. */
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
          `${path}: unknown variable $(${name}${end < 0 ? "" : ")"}; there are ${REPLICA_VARIABLES.map((v) => `$(${v})`).join(", ")} (write $$( for a literal one)`,
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

/** The text as replica `values` sees it. */
export const expandText = (text: string, values: ReplicaVariables, path: string): string =>
  parseText(text, path)
    .map((part) => ("variable" in part ? values[part.variable] : part.literal))
    .join("");

/** Every text of a command, expanded. */
export const expandCommand = (
  command: readonly string[],
  values: ReplicaVariables,
  path: string,
): readonly string[] => command.map((text, i) => expandText(text, values, `${path}[${i}]`));
