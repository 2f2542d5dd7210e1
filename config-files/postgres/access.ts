import { type HbaLine, hbaLine } from "./hba";
import { type IdentLine, identLine, identToAnybody } from "./ident";
import { guestIdentities, guestLines, type PostgresWishes } from "./wishes";

/** The roles of the system itself. */
export const SUPERUSER = "postgres";
export const REPLICATION_ROLE = "replicator";
export const REWIND_ROLE = "rewinder";

/** Common name of the certificate by which the cluster's members authenticate to each other. */
export const NODE_COMMON_NAME = "cluster-node";

/** The operating system's user in the container. */
const PROGRAM_USER = "postgres";

const NODE_MAP = "nodes";
const LOCAL_MAP = "local";
const CITUS_MAP = "citus";
const CITUS_LOCAL_MAP = "citus-local";

/** The kind of a group of members: a database of its own, or the coordinator or a worker group of a Citus cluster. */
export type GroupKind = "alone" | "coordinator" | "worker";

/** Nobody else connects inside the container. */
const NOBODY_LOCALLY: HbaLine = { via: "local", database: "all", user: "all", method: "reject" };
/** A Citus node also connects to itself on behalf of its clients' roles, over the socket that Patroni configures. */
const ITSELF: HbaLine = { via: "local", database: "all", user: "all", method: "peer", map: CITUS_LOCAL_MAP };

/** Where the superuser's password is accepted: tunnels of operators and of `pulumi up` end here. */
const LOOPBACK = ["127.0.0.1/32", "::1/128"];

/** What the lines depend on besides the kind of the group. */
export interface AccessInput {
  /** Networks (CIDR), besides the member itself, from which the superuser's password is accepted. Default none. */
  readonly directFrom?: readonly string[];
  /** Default none. */
  readonly guests?: readonly PostgresWishes[];
}

/** The lines of pg_hba.conf. The first match decides, and lines differ by user: the system's own roles come first, then guests. */
const lines = (
  locally: HbaLine,
  others: HbaLine,
  { directFrom = [], guests = [] }: AccessInput,
): readonly HbaLine[] => [
  // Inside the container: Patroni and operators, who run as the operating system's user `postgres`.
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

  // Between members: by the node certificate, so there is no password to store, send or rotate.
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

/** Applications, and pools on their behalf. */
const BY_PASSWORD: HbaLine = { via: "hostssl", database: "all", user: "all", method: "scram-sha-256" };
/** Another node of the Citus cluster, on behalf of its clients' roles. */
const AS_ANYBODY: HbaLine = { via: "hostssl", database: "all", user: "all", method: "cert", map: CITUS_MAP };

/** The lines of pg_hba.conf for the members of a group. */
export function hbaOf(kind: GroupKind, input: AccessInput = {}): readonly HbaLine[] {
  switch (kind) {
    case "alone":
      return lines(NOBODY_LOCALLY, BY_PASSWORD, input);
    case "coordinator":
      return lines(ITSELF, BY_PASSWORD, input);
    case "worker":
      // Workers accept no application's password: applications connect through the coordinator only.
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

/** pg_hba.conf and pg_ident.conf, line by line, as in Patroni's dynamic configuration. A reload applies a change. */
export const hbaLines = (kind: GroupKind, input?: AccessInput): string[] => hbaOf(kind, input).map(hbaLine);
export const identLines = (kind: GroupKind, { guests = [] }: AccessInput = {}): string[] => [
  ...MEMBERS.map(identLine),
  ...guestIdentities(guests, PROGRAM_USER).map(identLine),
  ...(kind === "alone" ? [] : [identToAnybody(CITUS_LOCAL_MAP, PROGRAM_USER)]),
  ...(kind === "worker" ? [identToAnybody(CITUS_MAP, NODE_COMMON_NAME)] : []),
];
