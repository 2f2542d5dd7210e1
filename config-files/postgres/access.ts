import { type HbaLine, hbaLine } from "./hba";
import { type IdentLine, identLine, identToAnybody } from "./ident";

/** The roles of the system itself. */
export const SUPERUSER = "postgres";
export const REPLICATION_ROLE = "replicator";
export const REWIND_ROLE = "rewinder";

/** Common name of the certificate by which members of the cluster know each other. */
export const NODE_COMMON_NAME = "cluster-node";

const NODE_MAP = "nodes";
const LOCAL_MAP = "local";
const CITUS_MAP = "citus";
const CITUS_LOCAL_MAP = "citus-local";

/** What a group of members is: a database of its own, or the coordinator or a worker group of a Citus cluster. */
export type GroupKind = "alone" | "coordinator" | "worker";

/** Inside the container nobody else is to be expected. */
const NOBODY_LOCALLY: HbaLine = { via: "local", database: "all", user: "all", method: "reject" };
/** A node of a Citus cluster connects to itself, too, for whoever asked it; Patroni gives it the socket for that. */
const ITSELF: HbaLine = { via: "local", database: "all", user: "all", method: "peer", map: CITUS_LOCAL_MAP };

/** From where the superuser's password is good: where tunnels of operators and of `pulumi up` arrive. */
const LOOPBACK = ["127.0.0.1/32", "::1/128"];

/** Who may log in how. Lines are told apart by user, since the first that matches decides. */
const common = (locally: HbaLine, directFrom: readonly string[]): readonly HbaLine[] => [
  // Inside the container: Patroni and operators, whom the kernel knows as the user `postgres`.
  { via: "local", database: "all", user: SUPERUSER, method: "peer" },
  {
    via: "local",
    database: ["all", "replication"],
    user: [REPLICATION_ROLE, REWIND_ROLE],
    method: "peer",
    map: LOCAL_MAP,
  },
  locally,

  // Between members: by the node certificate. No password is kept, sent or rotated.
  {
    via: "hostssl",
    database: ["all", "replication"],
    user: [REPLICATION_ROLE, REWIND_ROLE],
    method: "cert",
    map: NODE_MAP,
  },

  ...[...LOOPBACK, ...directFrom].map((address): HbaLine => ({
    ...{ via: "hostssl", database: "all", user: SUPERUSER },
    ...{ address, method: "scram-sha-256" },
  })),
  { via: "hostssl", database: "all", user: SUPERUSER, method: "cert", map: NODE_MAP },
];

/** Applications and the pools. */
const BY_PASSWORD: HbaLine = { via: "hostssl", database: "all", user: "all", method: "scram-sha-256" };
/** Another node of the Citus cluster, which speaks for whoever asked it. */
const AS_ANYBODY: HbaLine = { via: "hostssl", database: "all", user: "all", method: "cert", map: CITUS_MAP };

/** The lines of a group's members. `directFrom`: further networks (CIDR) from which the superuser's password is good. */
export function hbaOf(kind: GroupKind, directFrom: readonly string[] = []): readonly HbaLine[] {
  switch (kind) {
    case "alone":
      return [...common(NOBODY_LOCALLY, directFrom), BY_PASSWORD];
    case "coordinator":
      return [...common(ITSELF, directFrom), BY_PASSWORD];
    case "worker":
      // No application's password opens a worker: applications come through the coordinator only.
      return [...common(ITSELF, directFrom), AS_ANYBODY];
  }
}

const MEMBERS: readonly IdentLine[] = [
  ...[REPLICATION_ROLE, REWIND_ROLE, SUPERUSER].map((role) => ({
    map: NODE_MAP,
    systemUser: NODE_COMMON_NAME,
    role,
  })),
  ...[REPLICATION_ROLE, REWIND_ROLE].map((role) => ({ map: LOCAL_MAP, systemUser: "postgres", role })),
];

/** pg_hba.conf and pg_ident.conf, line by line, as Patroni's dynamic configuration holds them. A change needs a reload only. */
export const hbaLines = (kind: GroupKind, directFrom: readonly string[] = []): string[] =>
  hbaOf(kind, directFrom).map(hbaLine);
export const identLines = (kind: GroupKind): string[] => [
  ...MEMBERS.map(identLine),
  ...(kind === "alone" ? [] : [identToAnybody(CITUS_LOCAL_MAP, "postgres")]),
  ...(kind === "worker" ? [identToAnybody(CITUS_MAP, NODE_COMMON_NAME)] : []),
];
