import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { Certificate, CertificateAuthority } from "./resources/certificates";
import { CERTIFICATE_SETTINGS } from "./certificate-settings";
import { type ResolvedIssuer, resolveIssuer } from "./issuer";
import { after, ClusterMark } from "./resources/ownership";
import type { Platform } from "./platforms/platform";
import type { SecretRef } from "./platforms/workload";
import { type Problem, refuse } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import type { Resolved, Written } from "./settings/setting";

/** Arguments for the certificates of all workloads, signed by the cluster's own authority or by an issuer. */
export interface ClusterCertificatesArgs extends Written<typeof CERTIFICATE_SETTINGS> {
  readonly platform: Platform;
  /** Name of the cluster; part of the authority's common name. */
  readonly cluster: string;
}

export interface WorkloadCertificateArgs {
  readonly replicas: number;
  /** The name under which the certificate is kept, if a workload has several. Default: the workload's name. */
  readonly name?: string;
  /** Common name of the certificate, which PostgreSQL maps to roles. Default: the workload's name. */
  readonly commonName?: string;
  /** Additional names under which clients reach the members, such as those of a TLS-passthrough proxy. */
  readonly alsoKnownAs?: readonly string[];
  /** Members get a changed certificate after these. A leaving member is still reached by a name that only the old certificate has. */
  readonly after?: readonly pulumi.Resource[];
}

/** The files that a program needs to prove its identity and to verify its peers. The key is a secret. */
export type TlsFiles = Readonly<Record<"ca.crt" | "tls.crt" | "tls.key", pulumi.Output<string>>>;

/** Where the certificate, its key and the authority's certificate are mounted in every workload. */
export const TLS_DIRECTORY = "/secrets/tls";

type Settings = Resolved<typeof CERTIFICATE_SETTINGS>;

export type ResolvedCertificates = Pick<Settings, "days" | "formerAuthority"> &
  (
    | { readonly by: "own authority"; readonly authorityDays: number }
    | { readonly by: "issuer"; readonly issuer: ResolvedIssuer }
  );

export function resolveClusterCertificates(
  args: Written<typeof CERTIFICATE_SETTINGS>,
  now = new Date(),
): { readonly value: ResolvedCertificates; readonly problems: readonly Problem[] } {
  const { value, problems: own, sound } = resolveSettings(CERTIFICATE_SETTINGS, args, "certificates");
  const { days, authorityDays, formerAuthority } = value;
  const problems = [...own];
  if (value.issuer !== undefined) {
    if (args.authorityDays !== undefined) {
      problems.push({
        setting: "certificates.authorityDays",
        value: authorityDays,
        rule: "has no effect with certificates.issuer, whose authority is managed outside this cluster",
        remedy: "Remove it",
      });
    }
    const issuer = resolveIssuer(value.issuer, now);
    return {
      value: { days, formerAuthority, by: "issuer", issuer: issuer.value },
      problems: [...problems, ...issuer.problems],
    };
  }
  if (sound("days", "authorityDays") && authorityDays < 2 * days) {
    problems.push({
      setting: "certificates.authorityDays",
      value: authorityDays,
      rule: `must be at least twice certificates.days (${2 * days}): a certificate must not outlive its authority`,
      remedy: "Use 3650",
    });
  }
  return { value: { days, formerAuthority, by: "own authority", authorityDays }, problems };
}

/** What the signer needs to know about a certificate. */
interface Wanted {
  readonly commonName: string;
  readonly dnsNames: string[];
  readonly ipAddresses: string[];
}

/**
 * The certificate authority and the certificates of all members. Every client verifies its server (`verify-full`) against `authority`.
 * Certificates are valid for the members' names on their platform, for `localhost` and for 127.0.0.1. Private keys are secrets of the stack,
 * or of the platform if an issuer signs.
 */
export class ClusterCertificates extends pulumi.ComponentResource {
  /** The authority that members and clients trust. */
  readonly authority: { readonly certificatePem: pulumi.Output<string> };
  /** When each certificate expires (ISO 8601), by workload. Certificates that an issuer renews are not included. */
  readonly expires: Record<string, pulumi.Output<string>> = {};
  /** Resolves when the cluster is marked as owned by this stack. Everything that changes the cluster depends on it. */
  readonly owned: pulumi.Resource;
  private readonly platform: Platform;
  private readonly days: number;
  readonly formerAuthority: Settings["formerAuthority"];
  private readonly signer: CertificateAuthority | ResolvedIssuer;

  constructor(name: string, args: ClusterCertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    const { value, problems } = resolveClusterCertificates(args);
    refuse(`ClusterCertificates ${name}`, problems);
    const { owner, ground } = args.platform;
    super("postgres-cluster:index:ClusterCertificates", name, value, after(owner, opts));
    this.platform = args.platform;
    this.days = value.days;
    this.formerAuthority = value.formerAuthority;
    if (value.by === "issuer") {
      this.signer = value.issuer;
      this.authority = { certificatePem: pulumi.output(value.issuer.authority) };
      this.expires["authority"] = pulumi.output(value.issuer.authorityEnds.toISOString());
    } else {
      const authority = new CertificateAuthority(
        `${name}-authority`,
        {
          commonName: `${args.cluster} authority`,
          lifetimeDays: value.authorityDays,
          unproven: owner.unproven,
        },
        // Protected, so that clients can keep trusting the certificate that they have.
        { parent: this, protect: true },
      );
      this.signer = authority;
      this.authority = { certificatePem: this.trusted(authority) };
      this.expires["authority"] = authority.expires;
    }
    this.owned = new ClusterMark(
      `${args.cluster}-mark`,
      { owner, withoutProof: value.by === "issuer" },
      {
        parent: this,
        dependsOn: [ground, ...(this.signer instanceof CertificateAuthority ? [this.signer] : [])],
      },
    );
    this.registerOutputs({});
  }

  /** Issues one certificate for all members of a workload, as a secret to mount at `TLS_DIRECTORY`. */
  issue(workload: string, args: WorkloadCertificateArgs, parent: pulumi.Resource): SecretRef {
    const ordinals = [...Array(args.replicas).keys()];
    const names = ordinals.flatMap((i) => [
      this.platform.replicaName(workload, i),
      this.platform.replicaAddress(workload, i),
    ]);
    const { name = workload } = args;
    const wanted = describe(args.commonName ?? workload, [
      ...names,
      this.platform.serviceAddress(workload),
      "localhost",
      ...(args.alsoKnownAs ?? []),
    ]);
    const options = { parent, dependsOn: [...(args.after ?? [])] };
    if (this.signer instanceof CertificateAuthority)
      return this.platform.secret(`${name}-tls`, this.sign(this.signer, name, wanted, options), { parent });
    // A different name than above: when a cluster switches to an issuer, members that are not replaced yet keep their files.
    return this.platform.certificate(
      `${name}-certificate`,
      { ...this.signer, ...wanted, days: this.days },
      options,
    );
  }

  /**
   * Issues the certificate for an external server at `host` (a name or an address); its operator installs the files.
   * Undefined if an issuer signs: then the operator requests the certificate from the issuer.
   */
  issueOutside(
    name: string,
    host: string,
    commonName: string,
    parent: pulumi.Resource,
  ): TlsFiles | undefined {
    if (!(this.signer instanceof CertificateAuthority)) return undefined;
    return this.sign(this.signer, name, describe(commonName, [host, "localhost"]), { parent });
  }

  /** The authorities that members and clients trust. */
  private trusted(authority: CertificateAuthority): pulumi.Output<string> {
    const { owner } = this.platform;
    return pulumi.all([authority.certificatePem, owner.authorityBefore]).apply(([own, former]) => {
      if (former === undefined || this.formerAuthority === "forget") return own;
      if (this.formerAuthority === "serve")
        void pulumi.log.warn(
          "Members present certificates from the authority that the cluster had before it was adopted. Give every client both authorities " +
            "(`certificateAuthority`), then set certificates.formerAuthority to trust: docs/runbooks/adopt-a-cluster.md.",
          this,
        );
      return both(own, former);
    });
  }

  /** What members present. After an adoption they keep their former certificate until every client trusts the new authority. */
  private shown(name: string, certificate: Certificate): Omit<TlsFiles, "ca.crt"> {
    const { certificatePem, privateKeyPem, expires } = certificate;
    const former = this.platform.owner.before.apply((was) =>
      this.formerAuthority === "serve" ? was?.certificates[name] : undefined,
    );
    this.expires[name] = pulumi.unsecret(
      pulumi.all([former, expires]).apply(([was, own]) => (was ? endOf(was["tls.crt"]) : own)),
    );
    return {
      "tls.crt": pulumi.all([former, certificatePem]).apply(([was, own]) => was?.["tls.crt"] ?? own),
      "tls.key": pulumi.all([former, privateKeyPem]).apply(([was, own]) => was?.["tls.key"] ?? own),
    };
  }

  private sign(
    authority: CertificateAuthority,
    name: string,
    wanted: Wanted,
    options: pulumi.CustomResourceOptions,
  ): TlsFiles {
    const { certificatePem, privateKeyPem } = authority;
    const certificate = new Certificate(
      `${name}-certificate`,
      {
        authority: { certificatePem, privateKeyPem },
        ...wanted,
        usages: ["server", "client"],
        lifetimeDays: this.days,
      },
      options,
    );
    return { "ca.crt": this.authority.certificatePem, ...this.shown(name, certificate) };
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Two authorities as one PEM, without duplicate certificates. */
export const both = (own: string, former: string): string =>
  [...new Set([own, former].flatMap((pem) => pem.match(CERTIFICATE) ?? []))]
    .map((pem) => `${pem}\n`)
    .join("");

const endOf = (pem: string): string => new Date(new X509Certificate(pem).validTo).toISOString();

const describe = (commonName: string, reachedAs: readonly string[]): Wanted => ({
  commonName,
  dnsNames: [...new Set(reachedAs.filter((host) => isIP(host) === 0))],
  ipAddresses: ["127.0.0.1", ...reachedAs.filter((host) => isIP(host) !== 0)],
});
