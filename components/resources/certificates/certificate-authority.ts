import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { AUTHORITY_PROVIDER_VERSION } from "./authority-provider";

export interface CertificateAuthorityArgs {
  /** The authority's name, at most 64 characters: `pg-dev`. A different name is a different authority and replaces every certificate. */
  readonly commonName: pulumi.Input<string>;
  /** Days of validity. Default 3650. `up` renews it, with the same key, when less than a third is left. */
  readonly lifetimeDays?: pulumi.Input<number>;
  /**
   * Why no authority may be created, because the cluster has one that is not in this state (`ClusterOwner`); empty if one may be created.
   * Default "". Does not apply to an authority that is in the state already.
   */
  readonly unproven?: pulumi.Input<string>;
}

/**
 * The cluster's own certificate authority, which signs the cluster's certificates (`Certificate`). Its private key is only stored in the
 * stack's state, encrypted.
 */
export class CertificateAuthority extends DynamicResource {
  /** The authority's certificate, which everything in the cluster trusts. */
  declare readonly certificatePem: pulumi.Output<string>;
  /** PKCS #8, a secret. */
  declare readonly privateKeyPem: pulumi.Output<string>;
  /** End of the validity, ISO 8601 in UTC. */
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
