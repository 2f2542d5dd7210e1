/** The roles that a cluster makes in its database. */

/** The role that owns the application's database and may change its schema. */
export const OWNER_ROLE = "dpg_cluster";
/** Reads and writes data, changes no schema. */
export const READ_WRITE_ROLE = "app_readwrite";
export const READ_ONLY_ROLE = "app_readonly";
/** The pools log in as it to look up the passwords' verifiers of others; it may do nothing else. */
export const POOL_ROLE = "pool_auth";

/** Those that applications log in as. */
export const APPLICATION_ROLES = [OWNER_ROLE, READ_WRITE_ROLE, READ_ONLY_ROLE] as const;
