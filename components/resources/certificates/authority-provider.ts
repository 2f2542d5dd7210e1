import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { isUnknown } from "../../dynamic/unknown-value";
import { issueAuthority } from "./issue";
import type { IssuedCertificate } from "./issue";
import { checkAuthority } from "./check";
import { planCertificate, validityOf } from "./renewal";

/** Increase this when the same inputs give a different certificate: the next `up` then re-issues the authority once. */
export const AUTHORITY_PROVIDER_VERSION = 1;

export interface AuthorityInputs {
  readonly commonName: string;
  readonly lifetimeDays: number;
  /** Why no authority may be created; empty if one may. */
  readonly unproven?: string;
  readonly providerVersion: number;
}

export type AuthorityOutputs = AuthorityInputs & IssuedCertificate;

export const authorityProvider: dynamic.ResourceProvider<AuthorityInputs, AuthorityOutputs> = {
  check(olds: Partial<AuthorityInputs>, news) {
    const isNew = olds.commonName === undefined;
    const refusal = isNew && !isUnknown(news.unproven) ? (news.unproven ?? "") : "";
    const failures = refusal === "" ? [] : [{ property: "cluster", reason: refusal }];
    return Promise.resolve({ inputs: news, failures: [...checkAuthority(news), ...failures] });
  },

  diff(_id, olds, news) {
    const inputs = changedInputs(olds, news, ["commonName", "lifetimeDays", "providerVersion"]);
    const plan = planCertificate(new Date(), validityOf(olds.certificatePem));
    return Promise.resolve({
      changes: inputs.changed.length > 0 || plan.action !== "keep",
      // A different name is a different authority: certificates of the old one cannot be verified with it.
      replaces: inputs.certain.filter((name) => name === "commonName"),
    });
  },

  async create(inputs) {
    const issued = await issueAuthority(new Date(), inputs);
    return { id: inputs.commonName, outs: { ...inputs, ...issued } };
  },

  async update(_id, olds, news) {
    // Same key and name, so certificates that the old one signed can be verified with the new one too.
    const issued = await issueAuthority(new Date(), news, olds.privateKeyPem);
    return { outs: { ...news, ...issued } };
  },
};
