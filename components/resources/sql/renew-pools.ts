import { POOL_ROLE } from "./application-roles";
import { quoteIdentifier, quoteLiteral } from "./quote";
import type { Session } from "./session";

/**
 * Tells every pool to make its connections to the database anew, each when its transaction has ended. What a role may do in a database and
 * the settings that it has there are settled when a connection is made, so a pool's would keep the old ones for up to five minutes.
 *
 * It is told by the comment on the pools' role, which each looks at once a second where it is: pools of replicas hear no NOTIFY, but the
 * catalog reaches them in the same order as the change before. Only a superuser may make the comment.
 */
export const renewalStatement = (text: string): string =>
  `COMMENT ON ROLE ${quoteIdentifier(POOL_ROLE)} IS ${quoteLiteral(text)}`;

/** What the comment says; another one each time. */
export const renewalText = (why: string, at: Date): string =>
  `connections of the pools were to be renewed at ${at.toISOString()}: ${why}`;

/** Does it in a superuser's session; nothing, where no pool has a role. */
export async function renewPools(session: Session, why: string): Promise<void> {
  const there = await session.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", [POOL_ROLE]);
  if (there.length > 0) await session.query(renewalStatement(renewalText(why, new Date())));
}
