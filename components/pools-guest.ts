/** What the pools of a ProxyTier need in the database that they serve. */
import { ROLE_PINS } from "../config-files/postgres/pins";
import type { DatabaseContribution } from "./guests/contribution";
import { POOL_ROLE } from "./resources/sql/application-roles";

/**
 * The SCRAM verifier of an application's role. A query for an administrator returns no row. Neither does one for a role past its
 * VALID UNTIL, which the server checks but PgBouncer does not (CVE-2025-2291, https://www.pgbouncer.org/changelog.html#pgbouncer-124x).
 *
 * Only superusers can read pg_authid. The alternatives are worse: membership in pg_read_all_data gives access to every table, and pg_upgrade
 * loses a grant on the catalog itself.
 */
const VERIFIER = `
SELECT r.rolname, r.rolpassword
FROM pg_catalog.pg_authid r
WHERE r.rolname = $1 AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolreplication AND NOT r.rolbypassrls
  AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())
`;

export const POOLS: DatabaseContribution = {
  guest: "pools",
  // Applications reach workers only through the coordinators.
  clients: ["haproxy", "pgbouncer"].map((image) => ({ image, of: "entered" as const })),
  roles: [{ name: POOL_ROLE, password: "generated", settings: ROLE_PINS }],
  functions: [
    {
      ...{ schema: "pool", name: "lookup", arguments: "name text", executeBy: POOL_ROLE },
      ...{ returns: "TABLE (usename name, passwd text)", body: VERIFIER },
    },
  ],
  // Pauses the pools' clients during a planned stop of the leader: for 3 s, or for 8 s if a replica has yet to confirm commits.
  hooks: [{ event: "before_stop", command: ["pool-pause"], timeoutSeconds: 12 }],
};
