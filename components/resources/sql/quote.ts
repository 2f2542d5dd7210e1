/** An identifier, always quoted, so that a name can neither be a keyword nor end the statement. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteIdentifiers(names: readonly string[]): string {
  return names.map((name) => quoteIdentifier(name)).join(", ");
}

/** A string literal, for utility statements, which take no parameters. */
export function quoteLiteral(text: string): string {
  // The E syntax does not depend on standard_conforming_strings.
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** The name of a configuration parameter; an extension's has two parts. */
export function quoteSetting(name: string): string {
  return name
    .split(".")
    .map((part) => quoteIdentifier(part))
    .join(".");
}
