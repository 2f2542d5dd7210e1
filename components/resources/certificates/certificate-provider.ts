import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { issueLeaf } from "./issue";
import type { IssuedCertificate, LeafSpec } from "./issue";
import { checkCertificate } from "./check";
import { planCertificate, validityOf } from "./renewal";

/** Increase this when the same inputs give a different certificate: the next `up` then re-issues every certificate once. */
export const CERTIFICATE_PROVIDER_VERSION = 1;

export interface CertificateInputs extends LeafSpec {
  readonly providerVersion: number;
}

/** The authority's key is not repeated in the outputs: a change of its certificate is enough to detect a new authority. */
export type CertificateOutputs = Omit<CertificateInputs, "authorityPrivateKeyPem"> & IssuedCertificate;

async function issue(inputs: CertificateInputs): Promise<CertificateOutputs> {
  const { authorityPrivateKeyPem, ...visible } = inputs;
  return { ...visible, ...(await issueLeaf(new Date(), { ...visible, authorityPrivateKeyPem })) };
}

export const certificateProvider: dynamic.ResourceProvider<CertificateInputs, CertificateOutputs> = {
  check: (_olds, news) => Promise.resolve({ inputs: news, failures: checkCertificate(news) }),

  diff(_id, olds, news) {
    const inputs = changedInputs(olds, news, [
      "authorityCertificatePem",
      "commonName",
      "dnsNames",
      "ipAddresses",
      "usages",
      "lifetimeDays",
      "providerVersion",
    ]);
    const plan = planCertificate(new Date(), validityOf(olds.certificatePem));
    // Never a replacement, because the files of running members are updated in place.
    return Promise.resolve({ changes: inputs.changed.length > 0 || plan.action !== "keep", replaces: [] });
  },

  async create(inputs) {
    return { id: inputs.commonName, outs: await issue(inputs) };
  },

  async update(_id, _olds, news) {
    return { outs: await issue(news) };
  },
};
