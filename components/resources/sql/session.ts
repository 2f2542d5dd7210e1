import { SUPERUSER } from "../../../config-files/postgres/access";
import { PINS, sessionOptions, SUPERUSER_PINS } from "../../../config-files/postgres/pins";
import type { Reach } from "../../reach/reach";
import { openInTime, withTunnelProblem } from "../../reach/open-in-time";
import { waitUntil } from "../../dynamic/wait-until";
import { isProgramError, messageOf, reasonOf } from "../../dynamic/reason";

/** The only file that connects to PostgreSQL: it selects the member, secures the connection and retries. */

export interface SessionMember {
  readonly name: string;
  /** How this machine reaches its PostgreSQL port. */
  readonly reach: Reach;
  /** The name in its certificate. */
  readonly serverName: string;
}

export interface SessionTarget {
  readonly members: readonly SessionMember[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** PEM of the authority that signed the members' certificates; no other is trusted. */
  readonly ca: string;
  /** The password is being changed, so a rejected one may be accepted a little later. */
  readonly settling?: boolean;
  /** `primary` (default): the member that accepts writes. Otherwise the name of a member. */
  readonly role?: string;
}

export interface SessionOptions {
  /** Seconds to look for the member and to retry after a lost connection. Default 60. */
  readonly deadlineSeconds?: number;
  /** Time limit for connecting, in seconds. Default 10. */
  readonly connectTimeoutSeconds?: number;
  /** Time limit for a statement, in seconds. Default 60. */
  readonly statementTimeoutSeconds?: number;
  /** Time limit for acquiring a lock, in seconds. Default 10: a waiting DDL statement blocks all later ones. */
  readonly lockTimeoutSeconds?: number;
  /** After a lock timeout, retry in a new session until the deadline. Default false: a lock timeout is an error. */
  readonly awaitsLocks?: boolean;
  /** The statements contain secrets: keep them out of the server's log and of pg_stat_statements. Needs a superuser. */
  readonly secretive?: boolean;
}

export interface Session {
  /** The member that the session is connected to. */
  readonly member: string;
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
}

/** Run first in a secretive session, so that no statement is recorded: not as slow, not as failed, not normalised. */
export function secretiveStatements(): readonly string[] {
  return [
    "SET log_statement = 'none'",
    "SET log_min_duration_statement = -1",
    "SET log_min_error_statement = 'panic'",
    "SET pg_stat_statements.track = 'none'",
  ];
}

/** SQLSTATE of an error; undefined if the server did not send one (the connection broke). */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether a retry on a new connection may succeed: the server stopped (57P01 admin_shutdown, 57P02 crash_shutdown), does not accept
 * connections yet (57P03 cannot_connect_now), was demoted (25006 read_only_sql_transaction), has no free connection
 * (53300 too_many_connections), or the connection broke (class 08, or marked by `connectionLost`).
 */
export function isWorthRetrying(error: unknown): boolean {
  const state = sqlState(error);
  if (state === undefined) return (error as { connectionLost?: boolean }).connectionLost === true;
  return state.startsWith("08") || ["57P01", "57P02", "57P03", "25006", "53300"].includes(state);
}

/** Marks an error without SQLSTATE as a lost connection, because it did not come from the server. */
function connectionLost(error: unknown): Error {
  const lost = error instanceof Error ? error : new Error(messageOf(error));
  if (isProgramError(lost)) return lost;
  return sqlState(lost) === undefined ? Object.assign(lost, { connectionLost: true }) : lost;
}

/** Marks an error that a retry cannot fix. */
function permanently(error: unknown): Error {
  const permanent = error instanceof Error ? error : new Error(messageOf(error));
  return Object.assign(permanent, { permanent: true });
}

async function withMember<T>(
  target: SessionTarget,
  member: SessionMember,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { Client } = require("pg") as typeof import("pg");
  const { checkServerIdentity } = require("node:tls") as typeof import("node:tls");
  const { isIP } = require("node:net") as typeof import("node:net");
  const opened = await openInTime(member.reach, 15_000).catch((error: unknown) => {
    throw connectionLost(error);
  });
  const client = new Client({
    host: opened.host,
    port: opened.port,
    user: target.user,
    password: target.password,
    database: target.database,
    application_name: "postgres-cluster",
    // Only a superuser may disable session_preload_libraries, and only a superuser must be able to connect if a library is missing.
    options: sessionOptions(target.user === SUPERUSER ? SUPERUSER_PINS : PINS),
    connectionTimeoutMillis: (options.connectTimeoutSeconds ?? 10) * 1000,
    statement_timeout: (options.statementTimeoutSeconds ?? 60) * 1000,
    lock_timeout: (options.lockTimeoutSeconds ?? 10) * 1000,
    // statement_timeout does not help if the host has vanished.
    query_timeout: (options.statementTimeoutSeconds ?? 60) * 1000 + 5000,
    keepAlive: true,
    ssl: {
      ca: target.ca,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      // The socket connects to a tunnel, so the name is verified here. SNI must not be an IP address (RFC 6066).
      ...(isIP(member.serverName) === 0 ? { servername: member.serverName } : {}),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(member.serverName, certificate),
    },
  });
  // Without a listener, an error between two queries would crash the process.
  client.on("error", () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw connectionLost(error);
    });
    const session: Session = {
      member: member.name,
      async query<Row extends object>(text: string, values?: readonly unknown[]) {
        try {
          return (await client.query<Row>(text, values === undefined ? undefined : [...values])).rows;
        } catch (error) {
          throw connectionLost(error);
        }
      },
    };
    for (const statement of options.secretive === true ? secretiveStatements() : [])
      await session.query(statement);
    return await use(session);
  } catch (error) {
    throw withTunnelProblem(error, opened);
  } finally {
    // On a broken connection, `end` never resolves; the tunnel must be closed anyway.
    await Promise.race([
      client.end().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 2000).unref()),
    ]);
    await opened.close();
  }
}

/**
 * Runs `use` in a session on the primary (or on the member that `target.role` names). After a lost connection or a failover, `use` runs
 * again in a new session until the deadline, so it must be idempotent. The tunnel is always closed.
 */
export async function withSession<T>(
  target: SessionTarget,
  use: (session: Session) => Promise<T>,
  options: SessionOptions = {},
): Promise<T> {
  const role = target.role ?? "primary";
  const candidates =
    role === "primary" ? target.members : target.members.filter((member) => member.name === role);
  if (candidates.length === 0)
    throw new Error(
      `there is no member "${role}"; the members are ${target.members.map((m) => m.name).join(", ")}`,
    );
  // The kubelet updates a secret in its pods within a minute or two.
  const deadlineSeconds = Math.max(options.deadlineSeconds ?? 60, target.settling === true ? 300 : 0);
  const locks = options.awaitsLocks === true ? " and the required locks are free" : "";
  const what = `${role === "primary" ? "the primary" : role} accepts a session${locks}`;
  return waitUntil({ what, deadlineSeconds }, async () => {
    const reasons: string[] = [];
    let withoutDatabase = 0;
    for (const member of candidates) {
      try {
        const value = await withMember(target, member, options, async (session) => {
          if (role === "primary") {
            const [row] = await session.query<{ standby: boolean }>(
              "SELECT pg_catalog.pg_is_in_recovery() AS standby",
            );
            if (row?.standby !== false) throw connectionLost(new Error("is a standby"));
          }
          return use(session);
        });
        return { done: true as const, value };
      } catch (error) {
        // 3D000 invalid_catalog_name: may be a standby that has not replayed CREATE DATABASE yet; final if every member reports it.
        if (sqlState(error) === "3D000" && ++withoutDatabase < candidates.length) {
          reasons.push(`${member.name} has no database "${target.database}"`);
          continue;
        }
        // 28P01 invalid_password
        const settles = target.settling === true && sqlState(error) === "28P01";
        // 55P03 lock_not_available
        const waits = options.awaitsLocks === true && sqlState(error) === "55P03";
        if (!settles && !waits && !isWorthRetrying(error)) throw permanently(error);
        reasons.push(`${member.name}: ${reasonOf(error)}`);
      }
    }
    return { done: false as const, why: reasons.join("; ") };
  });
}
