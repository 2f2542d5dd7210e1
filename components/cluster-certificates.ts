import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { Certificate, CertificateAuthority } from "./certificates";
import type { Platform } from "./platform/platform";
import type { SecretRef } from "./platform/workload";
import { type Problem, refuse } from "./problems";

/** The cluster's own certificate authority, and a certificate for each workload. */
export interface ClusterCertificatesArgs {
  readonly platform: Platform;
  /** Stands in the authority's name. */
  readonly cluster: string;
  /** Lifetime of the authority in days. Default 3650. */
  readonly authorityDays?: number;
  /** Lifetime of a certificate in days; the first `up` in its last third renews it. Default 365. */
  readonly days?: number;
}

export interface WorkloadCertificateArgs {
  readonly replicas: number;
  /** What the certificate says its holder is; PostgreSQL maps it to roles. Default the workload's name. */
  readonly commonName?: string;
  /** Further names under which clients reach the members, such as those of an entry that passes TLS through. */
  readonly alsoKnownAs?: readonly string[];
}

/** The files that a program needs to prove who it is and to verify others. The key is a secret. */
export type TlsFiles = Readonly<Record<"ca.crt" | "tls.crt" | "tls.key", pulumi.Output<string>>>;

/** Where every workload finds its certificate, key and the authority's certificate. */
export const TLS_DIRECTORY = "/secrets/tls";

export function resolveClusterCertificates(args: Pick<ClusterCertificatesArgs, "authorityDays" | "days">): {
  readonly value: { readonly authorityDays: number; readonly days: number };
  readonly problems: readonly Problem[];
} {
  const { authorityDays = 3650, days = 365 } = args;
  const problems: Problem[] = [];
  if (!Number.isInteger(days) || days < 3 || days > 825) {
    problems.push({
      setting: "certificates.days",
      value: days,
      rule: "must be 3 to 825: many clients refuse certificates that last longer",
      remedy: "Use 365",
    });
  }
  if (!Number.isInteger(authorityDays) || authorityDays < 2 * days) {
    problems.push({
      setting: "certificates.authorityDays",
      value: authorityDays,
      rule: `must be at least twice certificates.days (${2 * days}): a certificate must not outlive its authority`,
      remedy: "Use 3650",
    });
  }
  return { value: { authorityDays, days }, problems };
}

/**
 * Keys are secrets of the stack; every client verifies its server in full against `authority`. Certificates are valid for the names
 * that members have on their platform, for `localhost` and for 127.0.0.1.
 */
export class ClusterCertificates extends pulumi.ComponentResource {
  readonly authority: CertificateAuthority;
  /** When each certificate ends (ISO 8601), by workload. */
  readonly expires: Record<string, pulumi.Output<string>> = {};
  private readonly days: number;
  private readonly platform: Platform;

  constructor(name: string, args: ClusterCertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolveClusterCertificates(args);
    refuse(`ClusterCertificates ${name}`, problems);
    super("postgres-cluster:index:ClusterCertificates", name, value, opts);
    this.days = value.days;
    this.platform = args.platform;
    this.authority = new CertificateAuthority(
      `${name}-authority`,
      { commonName: `${args.cluster} authority`, lifetimeDays: value.authorityDays },
      // Protected, so that clients may go on trusting the certificate that they have.
      { parent: this, protect: true },
    );
    this.expires["authority"] = this.authority.expires;
    this.registerOutputs({});
  }

  /** Issues the certificate of a workload's members (one for all of them) and keeps it as a secret to be mounted at `TLS_DIRECTORY`. */
  issue(workload: string, args: WorkloadCertificateArgs, parent: pulumi.Resource): SecretRef {
    const ordinals = [...Array(args.replicas).keys()];
    const names = ordinals.flatMap((i) => [
      this.platform.replicaName(workload, i),
      this.platform.replicaAddress(workload, i),
    ]);
    const files = this.files(workload, args.commonName ?? workload, parent, [
      ...names,
      this.platform.serviceAddress(workload),
      "localhost",
      ...(args.alsoKnownAs ?? []),
    ]);
    return this.platform.secret(`${workload}-tls`, files, { parent });
  }

  /** Issues the certificate of a server that somebody else runs under `host`, a name or an address; it gets the files from its operator. */
  issueOutside(name: string, host: string, commonName: string, parent: pulumi.Resource): TlsFiles {
    return this.files(name, commonName, parent, [host, "localhost"]);
  }

  private files(
    name: string,
    commonName: string,
    parent: pulumi.Resource,
    reachedAs: readonly string[],
  ): TlsFiles {
    const certificate = new Certificate(
      `${name}-certificate`,
      {
        authority: {
          certificatePem: this.authority.certificatePem,
          privateKeyPem: this.authority.privateKeyPem,
        },
        commonName,
        dnsNames: [...new Set(reachedAs.filter((host) => isIP(host) === 0))],
        ipAddresses: ["127.0.0.1", ...reachedAs.filter((host) => isIP(host) !== 0)],
        usages: ["server", "client"],
        lifetimeDays: this.days,
      },
      { parent },
    );
    this.expires[name] = certificate.expires;
    return {
      "ca.crt": this.authority.certificatePem,
      "tls.crt": certificate.certificatePem,
      "tls.key": certificate.privateKeyPem,
    };
  }
}
