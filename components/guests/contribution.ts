/**
 * What a component asks of another one whose members it is a guest of: a plain value. The host merges the values of all guests by written rules
 * (docs/architecture.md, "Guests"), and knows none of them by name.
 */
import type { Resource } from "@pulumi/pulumi";
import type { Check, Companion } from "../../config-files/guests/guests";
import type { PatroniWishes } from "../../config-files/patroni/guests";
import type { PostgresWishes } from "../../config-files/postgres/wishes";
import type { ConfigurationDirectory, Destination, Port, SecretData } from "../platforms/workload";

/** A certificate of the cluster's authority, in a directory of its own. */
export interface GuestCertificate {
  /** Where `tls.crt`, `tls.key` and `ca.crt` are mounted. */
  readonly directory: string;
  /** Whom it proves. PostgreSQL admits it only where an access rule names it. */
  readonly commonName: string;
}

/** Where metrics of a member are scraped. */
export interface MetricsEndpoint {
  /** What it tells of: `postgres`, `pgbouncer`. */
  readonly job: string;
  readonly port: number;
  /** Default `/metrics`. */
  readonly path?: string;
  /** Default `https`, with a certificate of the cluster. */
  readonly scheme?: "https" | "http";
}

/** What a guest of any member asks for. */
export interface WorkloadContribution {
  /** Its name, a DNS label: in messages, in names of secrets, in directories. */
  readonly guest: string;
  /** Debian packages in the host's image. What the image holds is decided before the cluster is: `imagesWith`. */
  readonly packages?: readonly string[];
  /** Files by the absolute path of their directory: readable by everybody in the container (mode 0444). A change reloads or replaces. */
  readonly files?: Readonly<Record<string, ConfigurationDirectory>>;
  /** Secrets by the absolute path of their directory (mode 0400). A change reaches running members; a companion that watches it reloads. */
  readonly secrets?: Readonly<Record<string, SecretData>>;
  readonly certificates?: readonly GuestCertificate[];
  /** Directories that are writable and may be lost. */
  readonly scratch?: readonly string[];
  /** By name; who may reach them is part of each. */
  readonly ports?: Readonly<Record<string, Port>>;
  /** Addresses outside the cluster that it reaches. */
  readonly egress?: readonly Destination[];
  readonly companions?: readonly Companion[];
  readonly metrics?: readonly MetricsEndpoint[];
  readonly checks?: readonly Check[];
}

/** A role that a guest logs in as. It is no superuser, and may do what its memberships and its functions let it do. */
export interface GuestRole {
  readonly name: string;
  /** `generated`: the cluster makes one, which the host's `password(name)` tells. Default: none; it comes over the socket or by certificate. */
  readonly password?: "generated";
  /** Predefined roles whose rights it has, such as `pg_monitor`. Default none. */
  readonly memberOf?: readonly string[];
  /** Settings of its sessions. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Its share of a member's connections, which the pools do without. Default: it counts among the pools' own. */
  readonly connections?: number;
}

/**
 * A function in the application's database that gives a guest what its role may not see by itself. It belongs to the superuser, has a fixed
 * search path, and nobody but `executeBy` may call it.
 */
export interface GuestFunction {
  /** A schema of the guest's own. */
  readonly schema: string;
  readonly name: string;
  /** As CREATE FUNCTION has them: `name text`. */
  readonly arguments: string;
  /** `TABLE (usename name, passwd text)`. */
  readonly returns: string;
  /** One SQL statement. */
  readonly body: string;
  readonly executeBy: string;
}

/** What must be true before the pools let clients in. */
export interface Gate {
  readonly name: string;
  /** An SQL expression of type boolean that the pools' role evaluates on the member that they point at. */
  readonly condition: string;
  /** What clients wait for, for the pools' log and for `doctor`: `the checks after the restore`. */
  readonly waitsFor: string;
}

/** Members to which a part of a contribution applies: `all` groups, or those that clients come to (a cluster of its own, the coordinators). */
export type Groups = "all" | "entered";

/** What a guest of the database asks for. */
export interface DatabaseContribution
  extends WorkloadContribution, Omit<PostgresWishes, "guest">, Omit<PatroniWishes, "guest"> {
  readonly roles?: readonly GuestRole[];
  readonly functions?: readonly GuestFunction[];
  readonly gates?: readonly Gate[];
  /** Programs of the cluster that come to PostgreSQL and to Patroni's REST API, by their images' names, and to which groups. */
  readonly clients?: readonly { readonly image: string; readonly of: Groups }[];
  /** What must be there before a member starts. */
  readonly dependsOn?: readonly Resource[];
}

/** For arguments of components. */
export type Guests<Contribution extends WorkloadContribution = WorkloadContribution> =
  readonly Contribution[];

/** The connections of a member that guests have for themselves. */
export const guestConnections = (guests: Guests<DatabaseContribution>): number =>
  guests.flatMap(({ roles = [] }) => roles).reduce((sum, { connections = 0 }) => sum + connections, 0);
