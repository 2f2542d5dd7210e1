import { type HbaLine, hbaLine } from "./hba";
import { type IdentLine, identLine, identToAnybody } from "./ident";
import { guestIdentities, guestLines, type PostgresWishes } from "./wishes";

/** The roles of the system itself. */
export const SUPERUSER = "postgres";
export const REPLICATION_ROLE = "replicator";
export const REWIND_ROLE = "rewinder";

/** Common name of the certificate by which members of the cluster know each other. */
export const NODE_COMMON_NAME = "cluster-node";

/** As whom everything in the container runs. */
const PROGRAM_USER = "postgres";

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

/** What decides beside the kind of the group. */
export interface AccessInput {
  /** Networks (CIDR), besides the member itself, from which the superuser's password is good. Default none. */
  readonly directFrom?: readonly string[];
  /** Default none. */
  readonly guests?: readonly PostgresWishes[];
}

/** Who may log in how. Lines are told apart by user, since the first that matches decides: what is ours comes first, then guests. */
const lines = (
  locally: HbaLine,
  others: HbaLine,
  { directFrom = [], guests = [] }: AccessInput,
): readonly HbaLine[] => [
  // Inside the container: Patroni and operators, whom the kernel knows as the user `postgres`.
  { via: "local", database: "all", user: SUPERUSER, method: "peer" },
  {
    via: "local",
    database: ["all", "replication"],
    user: [REPLICATION_ROLE, REWIND_ROLE],
    method: "peer",
    map: LOCAL_MAP,
  },
  ...guestLines(guests, "inside"),
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

  ...guestLines(guests, "network"),
  others,
];

/** Applications, and who brings their sessions. */
const BY_PASSWORD: HbaLine = { via: "hostssl", database: "all", user: "all", method: "scram-sha-256" };
/** Another node of the Citus cluster, which speaks for whoever asked it. */
const AS_ANYBODY: HbaLine = { via: "hostssl", database: "all", user: "all", method: "cert", map: CITUS_MAP };

/** The lines of a group's members. */
export function hbaOf(kind: GroupKind, input: AccessInput = {}): readonly HbaLine[] {
  switch (kind) {
    case "alone":
      return lines(NOBODY_LOCALLY, BY_PASSWORD, input);
    case "coordinator":
      return lines(ITSELF, BY_PASSWORD, input);
    case "worker":
      // No application's password opens a worker: applications come through the coordinator only.
      return lines(ITSELF, AS_ANYBODY, input);
  }
}

const MEMBERS: readonly IdentLine[] = [
  ...[REPLICATION_ROLE, REWIND_ROLE, SUPERUSER].map((role) => ({
    map: NODE_MAP,
    systemUser: NODE_COMMON_NAME,
    role,
  })),
  ...[REPLICATION_ROLE, REWIND_ROLE].map((role) => ({ map: LOCAL_MAP, systemUser: PROGRAM_USER, role })),
];

/** pg_hba.conf and pg_ident.conf, line by line, as Patroni's dynamic configuration holds them. A change needs a reload only. */
export const hbaLines = (kind: GroupKind, input?: AccessInput): string[] => hbaOf(kind, input).map(hbaLine);
export const identLines = (kind: GroupKind, { guests = [] }: AccessInput = {}): string[] => [
  ...MEMBERS.map(identLine),
  ...guestIdentities(guests, PROGRAM_USER).map(identLine),
  ...(kind === "alone" ? [] : [identToAnybody(CITUS_LOCAL_MAP, PROGRAM_USER)]),
  ...(kind === "worker" ? [identToAnybody(CITUS_MAP, NODE_COMMON_NAME)] : []),
];
