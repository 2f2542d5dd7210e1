/** Roles that are created in every cluster. */

/** The role that owns the application's database and may change its schema. */
export const OWNER_ROLE = "dpg_cluster";
/** Reads and writes data, but cannot change the schema. */
export const READ_WRITE_ROLE = "app_readwrite";
export const READ_ONLY_ROLE = "app_readonly";
/** The role that pools use to look up password verifiers of other roles; it has no other privileges. */
export const POOL_ROLE = "pool_auth";

/** Roles for applications. */
export const APPLICATION_ROLES = [OWNER_ROLE, READ_WRITE_ROLE, READ_ONLY_ROLE] as const;
