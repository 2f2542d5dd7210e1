/** What the pools of a ProxyTier ask of the database before which they stand. */
import { ROLE_PINS } from "../config-files/postgres/pins";
import type { DatabaseContribution } from "./guests/contribution";
import { POOL_ROLE } from "./resources/sql/application-roles";

/**
 * The verifier of a role that applications log in as: whoever asks for an administrator's gets no row. A password past its
 * VALID UNTIL is none, which the server itself would check and a pool does not (CVE-2025-2291,
 * https://www.pgbouncer.org/changelog.html#pgbouncer-124x).
 *
 * Nobody but a superuser may read pg_authid, and the other ways are worse: membership in pg_read_all_data opens every table, and a grant on the
 * catalog itself is lost by pg_upgrade.
 */
const VERIFIER = `
SELECT r.rolname, r.rolpassword
FROM pg_catalog.pg_authid r
WHERE r.rolname = $1 AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolreplication AND NOT r.rolbypassrls
  AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())
`;

export const POOLS: DatabaseContribution = {
  guest: "pools",
  // Applications come to a worker through the coordinators only.
  clients: ["haproxy", "pgbouncer"].map((image) => ({ image, of: "entered" as const })),
  roles: [{ name: POOL_ROLE, password: "generated", settings: ROLE_PINS }],
  functions: [
    {
      ...{ schema: "pool", name: "lookup", arguments: "name text", executeBy: POOL_ROLE },
      ...{ returns: "TABLE (usename name, passwd text)", body: VERIFIER },
    },
  ],
  // Holds the pools' clients while a leader is stopped on purpose: for 3 s, and for 8 when a replica has yet to confirm commits.
  hooks: [{ event: "before_stop", command: ["pool-pause"], timeoutSeconds: 12 }],
};
