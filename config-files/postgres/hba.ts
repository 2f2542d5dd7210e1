/**
 * A line of pg_hba.conf as the sentence it means: who comes which way to which database, and how they prove who they are. The
 * first line that matches decides, and there is no falling through to the next after a failure.
 * https://www.postgresql.org/docs/17/auth-pg-hba-conf.html
 */
export interface HbaLine {
  /** `local` is the Unix socket, `hostssl` a TCP connection with TLS. There is none without TLS, so no other can be written. */
  readonly via: "local" | "hostssl";
  /** Names, or `all` (which does not include replication connections), or `replication`. */
  readonly database: string | readonly string[];
  readonly user: string | readonly string[];
  /** For `hostssl`: `all`, a network (`10.0.0.0/8`), a host name. Default `all`. */
  readonly address?: string;
  readonly method: "peer" | "cert" | "scram-sha-256" | "reject";
  /** The map of pg_ident.conf by which a name outside becomes a role. */
  readonly map?: string;
}

const KEYWORDS = new Set(["all", "replication", "sameuser", "samerole", "samehost", "samenet"]);

/** A name, quoted unless it is a plain word; a quoted keyword would be a name. */
function word(text: string): string {
  if (/["\r\n\0]/.test(text) || text === "")
    throw new Error(`not a name that pg_hba.conf can hold: ${JSON.stringify(text)}`);
  return KEYWORDS.has(text) || /^[+A-Za-z0-9_.:/-]+$/.test(text) ? text : `"${text}"`;
}

const words = (names: string | readonly string[]): string => [names].flat().map(word).join(",");

/** The line as PostgreSQL reads it. */
export function hbaLine(line: HbaLine): string {
  if (line.via === "local" && line.address !== undefined) throw new Error("a Unix socket has no address");
  if (line.via === "hostssl" && line.method === "peer")
    throw new Error("`peer` asks the kernel, so it needs a Unix socket");
  if (line.via === "local" && line.method === "cert")
    throw new Error("`cert` needs TLS, and a Unix socket has none");
  return [
    line.via,
    words(line.database),
    words(line.user),
    ...(line.via === "hostssl" ? [word(line.address ?? "all")] : []),
    line.method,
    ...(line.map === undefined ? [] : [`map=${word(line.map)}`]),
  ].join(" ");
}
