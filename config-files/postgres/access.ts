import { type HbaLine, hbaLine } from "./hba";
import { type IdentLine, identLine } from "./ident";

/** The roles of the system itself. */
export const SUPERUSER = "postgres";
export const REPLICATION_ROLE = "replicator";
export const REWIND_ROLE = "rewinder";

/** Common name of the certificate by which members of the cluster know each other. */
export const NODE_COMMON_NAME = "cluster-node";

const NODE_MAP = "nodes";
const LOCAL_MAP = "local";

/** Who may log in how. Lines are told apart by user, since the first that matches decides. */
export const HBA: readonly HbaLine[] = [
  // Inside the container: Patroni and operators, whom the kernel knows as the user `postgres`.
  { via: "local", database: "all", user: SUPERUSER, method: "peer" },
  {
    via: "local",
    database: ["all", "replication"],
    user: [REPLICATION_ROLE, REWIND_ROLE],
    method: "peer",
    map: LOCAL_MAP,
  },
  { via: "local", database: "all", user: "all", method: "reject" },

  // Between members: by the node certificate. No password is kept, sent or rotated.
  {
    via: "hostssl",
    database: ["all", "replication"],
    user: [REPLICATION_ROLE, REWIND_ROLE],
    method: "cert",
    map: NODE_MAP,
  },

  // The superuser has a password, good only where tunnels of operators and of `pulumi up` arrive.
  { via: "hostssl", database: "all", user: SUPERUSER, address: "127.0.0.1/32", method: "scram-sha-256" },
  { via: "hostssl", database: "all", user: SUPERUSER, address: "::1/128", method: "scram-sha-256" },
  { via: "hostssl", database: "all", user: SUPERUSER, method: "cert", map: NODE_MAP },

  // Everybody else: applications and the pools.
  { via: "hostssl", database: "all", user: "all", method: "scram-sha-256" },
];

export const IDENT: readonly IdentLine[] = [
  ...[REPLICATION_ROLE, REWIND_ROLE, SUPERUSER].map((role) => ({
    map: NODE_MAP,
    systemUser: NODE_COMMON_NAME,
    role,
  })),
  ...[REPLICATION_ROLE, REWIND_ROLE].map((role) => ({ map: LOCAL_MAP, systemUser: "postgres", role })),
];

/** pg_hba.conf and pg_ident.conf, line by line, as Patroni's dynamic configuration holds them. A change needs a reload only. */
export const hbaLines = (): string[] => HBA.map(hbaLine);
export const identLines = (): string[] => IDENT.map(identLine);
