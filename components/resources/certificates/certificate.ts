import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { CERTIFICATE_PROVIDER_VERSION } from "./certificate-provider";
import type { CertificateUsage } from "./issue";

export interface CertificateArgs {
  /** Who signs: a `CertificateAuthority`. When it is re-issued, so is this certificate. */
  readonly authority: {
    readonly certificatePem: pulumi.Input<string>;
    readonly privateKeyPem: pulumi.Input<string>;
  };
  /** The subject's name, at most 64 characters. PostgreSQL maps it to a user where certificates authenticate. */
  readonly commonName: pulumi.Input<string>;
  /** The names under which it is reached. */
  readonly dnsNames: pulumi.Input<pulumi.Input<string>[]>;
  /** The addresses under which it is reached, IPv4 or IPv6. */
  readonly ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
  /** What it is good for: `server` when it is shown to clients, `client` when it authenticates to servers. */
  readonly usages: pulumi.Input<CertificateUsage[]>;
  /** How long it is valid, in days. Default 365. `up` renews it, with a new key, when less than a third is left. */
  readonly lifetimeDays?: pulumi.Input<number>;
}

/** A certificate with its key, signed by the cluster's authority. */
export class Certificate extends DynamicResource {
  declare readonly certificatePem: pulumi.Output<string>;
  /** PKCS #8, a secret. */
  declare readonly privateKeyPem: pulumi.Output<string>;
  /** When it ends, ISO 8601 in UTC. */
  declare readonly expires: pulumi.Output<string>;

  constructor(name: string, args: CertificateArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/certificates/certificate-provider#certificateProvider",
      name,
      {
        authorityCertificatePem: args.authority.certificatePem,
        authorityPrivateKeyPem: pulumi.secret(args.authority.privateKeyPem),
        commonName: args.commonName,
        dnsNames: args.dnsNames,
        ipAddresses: args.ipAddresses ?? [],
        usages: args.usages,
        lifetimeDays: args.lifetimeDays ?? 365,
        providerVersion: CERTIFICATE_PROVIDER_VERSION,
        certificatePem: undefined,
        privateKeyPem: undefined,
        expires: undefined,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["privateKeyPem"] }),
      "certificates",
      "Certificate",
    );
  }
}
