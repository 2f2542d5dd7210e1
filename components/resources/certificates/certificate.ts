import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { CERTIFICATE_PROVIDER_VERSION } from "./certificate-provider";
import type { CertificateUsage } from "./issue";

export interface CertificateArgs {
  /** The signing `CertificateAuthority`. If it is re-issued, so is this certificate. */
  readonly authority: {
    readonly certificatePem: pulumi.Input<string>;
    readonly privateKeyPem: pulumi.Input<string>;
  };
  /** The subject's common name, at most 64 characters. With certificate authentication, PostgreSQL maps it to a user. */
  readonly commonName: pulumi.Input<string>;
  /** DNS names by which clients connect. */
  readonly dnsNames: pulumi.Input<pulumi.Input<string>[]>;
  /** IPv4 and IPv6 addresses by which clients connect. */
  readonly ipAddresses?: pulumi.Input<pulumi.Input<string>[]>;
  /** Extended key usage: `server` to identify itself to clients, `client` to authenticate to servers. */
  readonly usages: pulumi.Input<CertificateUsage[]>;
  /** Days of validity. Default 365. `up` renews it, with a new key, when less than a third is left. */
  readonly lifetimeDays?: pulumi.Input<number>;
}

/** A certificate and its private key, signed by the cluster's authority. */
export class Certificate extends DynamicResource {
  declare readonly certificatePem: pulumi.Output<string>;
  /** PKCS #8, a secret. */
  declare readonly privateKeyPem: pulumi.Output<string>;
  /** End of the validity, ISO 8601 in UTC. */
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
