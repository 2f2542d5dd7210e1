/**
 * A line of pg_ident.conf: within `map`, whoever is `systemUser` outside (a user of the operating system, the common name of a
 * certificate) may log in as `role`. https://www.postgresql.org/docs/17/auth-username-maps.html
 */
export interface IdentLine {
  readonly map: string;
  readonly systemUser: string;
  readonly role: string;
}

function word(text: string): string {
  // A leading slash would make it a regular expression, `all` or `+` would let in more than one.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) || text === "all") {
    throw new Error(`not a single name for pg_ident.conf: ${JSON.stringify(text)}`);
  }
  return text;
}

/** The line as PostgreSQL reads it. */
export const identLine = (line: IdentLine): string =>
  [line.map, line.systemUser, line.role].map(word).join(" ");

/** A line by which whoever is `systemUser` outside may log in as any role: the keyword `all`, since PostgreSQL 16. */
export const identToAnybody = (map: string, systemUser: string): string =>
  `${word(map)} ${word(systemUser)} all`;
