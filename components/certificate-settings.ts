import { choice, count, integer, text } from "./settings/kinds";
import { setting, settings } from "./settings/setting";

const days = count(3, 825, {
  rule: "must be 3 to 825: many clients refuse certificates that last longer",
  remedy: "Use 365",
});

const LONGEST_DAYS = 36_500;
const authorityDays = integer(`2 x \`days\` to ${LONGEST_DAYS}`, (value) =>
  value >= 1 && value <= LONGEST_DAYS
    ? undefined
    : { rule: `must be at least twice certificates.days, and at most ${LONGEST_DAYS}`, remedy: "Use 3650" },
);

export const ISSUER_SETTINGS = settings({
  /** Name of the issuer. */
  name: setting(text(), { cost: "reload", otherwise: "required" }),
  /** `Issuer`, which is in the namespace, or `ClusterIssuer`. */
  kind: setting(text(), { default: "Issuer", cost: "reload" }),
  /** API group of the kind. */
  group: setting(text(), { default: "cert-manager.io", cost: "reload" }),
  /** PEM of the authority that the issuer signs with, up to its root, which members, clients and `up` trust. During a rotation, include both. */
  authority: setting(text(), { cost: "replacement", otherwise: "required" }),
});

export const CERTIFICATE_SETTINGS = settings({
  /** Lifetime of the cluster's own certificate authority. */
  authorityDays: setting(authorityDays, { default: 3650, unit: "days", cost: "reload" }),
  /** Lifetime of a certificate; the first `up` in its last third renews it, an issuer does so by itself. */
  days: setting(days, { default: 365, unit: "days", cost: "reload" }),
  /**
   * Of a cluster that was adopted. `serve`: members show certificates of the authority that it had, and trust both. `trust`: they show their own.
   * `forget`: they trust their own alone.
   */
  formerAuthority: setting(choice("serve", "trust", "forget"), { default: "serve", cost: "reload" }),
  /**
   * cert-manager signs and renews, in place of the cluster's own authority (Kubernetes, [how](docs/kubernetes.md)). The issuer must be this
   * cluster's alone: whoever has a certificate of it gets in.
   */
  issuer: ISSUER_SETTINGS.readonly().optional(),
});
