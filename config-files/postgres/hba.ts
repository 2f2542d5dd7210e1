/**
 * A line of pg_hba.conf: who may connect, how, to which database, and the authentication method. The first matching line decides;
 * after a failed authentication no other line is tried.
 * https://www.postgresql.org/docs/17/auth-pg-hba-conf.html
 */
export interface HbaLine {
  /** `local` is the Unix socket, `hostssl` a TCP connection with TLS. TCP without TLS is not allowed, so it cannot be expressed. */
  readonly via: "local" | "hostssl";
  /** Names, or `all` (which does not include replication connections), or `replication`. */
  readonly database: string | readonly string[];
  readonly user: string | readonly string[];
  /** For `hostssl`: `all`, a network (`10.0.0.0/8`), a host name. Default `all`. */
  readonly address?: string;
  readonly method: "peer" | "cert" | "scram-sha-256" | "reject";
  /** The map of pg_ident.conf that maps the system user or certificate name to a role. */
  readonly map?: string;
}

const KEYWORDS = new Set(["all", "replication", "sameuser", "samerole", "samehost", "samenet"]);

/** A name, quoted unless it is a plain word; quoting a keyword would make it a name. */
function word(text: string): string {
  if (/["\r\n\0]/.test(text) || text === "")
    throw new Error(
      `pg_hba.conf: ${JSON.stringify(text)} must be a name without quotes, line breaks and NUL, and not empty`,
    );
  return KEYWORDS.has(text) || /^[+A-Za-z0-9_.:/-]+$/.test(text) ? text : `"${text}"`;
}

const words = (names: string | readonly string[]): string => [names].flat().map(word).join(",");

/** The line as PostgreSQL reads it. */
export function hbaLine(line: HbaLine): string {
  if (line.via === "local" && line.address !== undefined)
    throw new Error(`pg_hba.conf: a Unix socket has no address (${line.address}); remove it, or use hostssl`);
  if (line.via === "hostssl" && line.method === "peer")
    throw new Error("pg_hba.conf: `peer` needs a Unix socket; use cert or scram-sha-256 with hostssl");
  if (line.via === "local" && line.method === "cert")
    throw new Error("pg_hba.conf: `cert` needs TLS, which a Unix socket does not have; use peer");
  return [
    line.via,
    words(line.database),
    words(line.user),
    ...(line.via === "hostssl" ? [word(line.address ?? "all")] : []),
    line.method,
    ...(line.map === undefined ? [] : [`map=${word(line.map)}`]),
  ].join(" ");
}
