import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { AUTHORITY_PROVIDER_VERSION } from "./authority-provider";

export interface CertificateAuthorityArgs {
  /** The authority's name, at most 64 characters: `pg-dev`. Another name is another authority and replaces every certificate. */
  readonly commonName: pulumi.Input<string>;
  /** How long it is valid, in days. Default 3650. It renews itself, with the same key, when less than a third is left. */
  readonly lifetimeDays?: pulumi.Input<number>;
  /**
   * Why no authority may be made, of a cluster that has one which this state does not know (`ClusterOwner`); empty when it may. Default "".
   * An authority that the state has is left alone whatever this says.
   */
  readonly unproven?: pulumi.Input<string>;
}

/**
 * The cluster's own certificate authority. Its private key lies in the stack's state only, encrypted, and signs the cluster's
 * certificates (`Certificate`).
 */
export class CertificateAuthority extends DynamicResource {
  /** The authority's certificate, which everything in the cluster trusts. */
  declare readonly certificatePem: pulumi.Output<string>;
  /** PKCS #8, a secret. */
  declare readonly privateKeyPem: pulumi.Output<string>;
  /** When it ends, ISO 8601 in UTC. */
  declare readonly expires: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/certificates/authority-provider#authorityProvider",
      name,
      {
        commonName: args.commonName,
        lifetimeDays: args.lifetimeDays ?? 3650,
        unproven: args.unproven ?? "",
        providerVersion: AUTHORITY_PROVIDER_VERSION,
        certificatePem: undefined,
        privateKeyPem: undefined,
        expires: undefined,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["privateKeyPem"] }),
      "certificates",
      "CertificateAuthority",
    );
  }
}
