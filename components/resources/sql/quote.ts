/** An identifier, always in quotes, so that no name is a keyword and none ends the statement. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteIdentifiers(names: readonly string[]): string {
  return names.map((name) => quoteIdentifier(name)).join(", ");
}

/** A text literal, for statements that take no parameters (every utility statement). */
export function quoteLiteral(text: string): string {
  // With standard_conforming_strings, the default since PostgreSQL 9.1, a backslash is a plain character; the E form needs none.
  const quoted = text.replaceAll("'", "''");
  return text.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}

/** The name of a setting; an extension's has two parts. */
export function quoteSetting(name: string): string {
  return name
    .split(".")
    .map((part) => quoteIdentifier(part))
    .join(".");
}
