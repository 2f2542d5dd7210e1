/**
 * A line of pg_ident.conf: in `map`, the system user `systemUser` (a user of the operating system, or the common name of a
 * certificate) may log in as `role`. https://www.postgresql.org/docs/17/auth-username-maps.html
 */
export interface IdentLine {
  readonly map: string;
  readonly systemUser: string;
  readonly role: string;
}

function word(text: string): string {
  // A leading slash would make it a regular expression, `all` or `+` would match more than one role.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) || text === "all") {
    throw new Error(
      `pg_ident.conf: ${JSON.stringify(text)} must be a single name of letters, digits, "_", "." and "-", and not "all"`,
    );
  }
  return text;
}

/** The line as PostgreSQL reads it. */
export const identLine = (line: IdentLine): string =>
  [line.map, line.systemUser, line.role].map(word).join(" ");

/** A line by which the system user may log in as any role: the keyword `all`, since PostgreSQL 16. */
export const identToAnybody = (map: string, systemUser: string): string =>
  `${word(map)} ${word(systemUser)} all`;
