/**
 * What a guest adds to the members of a host component: a plain value. The host merges the values of all guests by the rules in
 * docs/architecture.md ("Guests") and does not know any guest by name.
 */
import type { Resource } from "@pulumi/pulumi";
import type { Check, Companion } from "../../config-files/guests/guests";
import type { PatroniWishes } from "../../config-files/patroni/guests";
import type { PostgresWishes } from "../../config-files/postgres/wishes";
import type { FunctionSpec } from "../resources/sql/database/plan";
import type { ConfigurationDirectory, Destination, Port, SecretData } from "../platforms/workload";

/** A certificate from the cluster's authority, mounted in its own directory. */
export interface GuestCertificate {
  /** Where `tls.crt`, `tls.key` and `ca.crt` are mounted. */
  readonly directory: string;
  /** Common name of the certificate. PostgreSQL accepts it only if an access rule names it. */
  readonly commonName: string;
}

/** A metrics endpoint of each member. */
export interface MetricsEndpoint {
  /** What is measured: `postgres`, `pgbouncer`. */
  readonly job: string;
  readonly port: number;
  /** Default `/metrics`. */
  readonly path?: string;
  /** Default `https`, with a certificate from the cluster's authority. */
  readonly scheme?: "https" | "http";
}

/** What a guest can add to any workload. */
export interface WorkloadContribution {
  /** Its name, a DNS label of at most 32 characters. Used in messages and in names of secrets and certificates. */
  readonly guest: string;
  /** Debian packages in the host's image. Pass them to `imagesWith` too: images are defined before the cluster. */
  readonly packages?: readonly string[];
  /** Files by the absolute path of their directory, readable by every user in the container (mode 0444). A change reloads or replaces members. */
  readonly files?: Readonly<Record<string, ConfigurationDirectory>>;
  /** Secrets by the absolute path of their directory (mode 0400). Running members get changes; a companion that watches the directory reloads. */
  readonly secrets?: Readonly<Record<string, SecretData>>;
  readonly certificates?: readonly GuestCertificate[];
  /** Writable directories whose content may be lost. */
  readonly scratch?: readonly string[];
  /** Ports by name, each with the workloads that may connect to it. */
  readonly ports?: Readonly<Record<string, Port>>;
  /** Addresses outside the cluster that it connects to. */
  readonly egress?: readonly Destination[];
  readonly companions?: readonly Companion[];
  readonly metrics?: readonly MetricsEndpoint[];
  readonly checks?: readonly Check[];
}

/** A role that a guest logs in as. It is not a superuser; its privileges come from its memberships and functions. */
export interface GuestRole {
  readonly name: string;
  /** `generated`: the cluster generates one; the host's `password(name)` returns it. Default: none; the role uses the socket or a certificate. */
  readonly password?: "generated";
  /** Predefined roles that it is a member of, such as `pg_monitor`. Default: none. */
  readonly memberOf?: readonly string[];
  /** Configuration parameters of its sessions. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Connections reserved for it on each member, which the pools cannot use. Default: it shares the pools' connections. */
  readonly connections?: number;
}

/** A condition that must hold before the pools admit clients. */
export interface Gate {
  readonly name: string;
  /** A boolean SQL expression that the pools' role evaluates on the pool's current target. */
  readonly condition: string;
  /** What clients wait for, shown in the pools' log and by `doctor`: `the checks after the restore`. */
  readonly waitsFor: string;
}

/** The groups that a part of a contribution applies to: `all`, or only those that clients connect to (a single cluster or the coordinators). */
export type Groups = "all" | "entered";

/** What a guest can add to the database. */
export interface DatabaseContribution
  extends WorkloadContribution, Omit<PostgresWishes, "guest">, Omit<PatroniWishes, "guest"> {
  readonly roles?: readonly GuestRole[];
  /** Functions in the application's database that give a role of the guest's access to data that it cannot read, each in a schema of its own. */
  readonly functions?: readonly FunctionSpec[];
  readonly gates?: readonly Gate[];
  /** Workloads that connect to PostgreSQL and to Patroni's REST API, by image name, and the groups that they connect to. */
  readonly clients?: readonly { readonly image: string; readonly of: Groups }[];
  /** Resources that must exist before a member starts. */
  readonly dependsOn?: readonly Resource[];
}

/** The type of a component's `guests` argument. */
export type Guests<Contribution extends WorkloadContribution = WorkloadContribution> =
  readonly Contribution[];

/** The number of connections of a member that are reserved for guests. */
export const guestConnections = (guests: Guests<DatabaseContribution>): number =>
  guests.flatMap(({ roles = [] }) => roles).reduce((sum, { connections = 0 }) => sum + connections, 0);
