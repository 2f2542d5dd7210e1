import { POOL_ROLE } from "./application-roles";
import { quoteIdentifier, quoteLiteral } from "./quote";
import type { Session } from "./session";

/**
 * Makes every pool renew its server connections, each at the end of its current transaction. Connection privileges and role settings take
 * effect when a connection is opened, so pools would keep the old ones for up to five minutes.
 *
 * The signal is the comment on the pools' role, which every pool reads once a second on its own server. NOTIFY does not reach pools of
 * replicas, but changes of the catalog do, in order: after the change that they announce. Only a superuser may set the comment.
 */
export const renewalStatement = (text: string): string =>
  `COMMENT ON ROLE ${quoteIdentifier(POOL_ROLE)} IS ${quoteLiteral(text)}`;

/** The comment's text, different each time. */
export const renewalText = (why: string, at: Date): string =>
  `pools renew their server connections since ${at.toISOString()}: ${why}`;

/** Signals the pools in a superuser's session. Does nothing if the pools' role does not exist. */
export async function renewPools(session: Session, why: string): Promise<void> {
  const there = await session.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", [POOL_ROLE]);
  if (there.length > 0) await session.query(renewalStatement(renewalText(why, new Date())));
}
