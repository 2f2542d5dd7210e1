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
  /** PEM of the issuer's certificate authority, up to the root. Members, clients and `up` trust it. During rotation, include both authorities. */
  authority: setting(text(), { cost: "replacement", otherwise: "required" }),
});

export const CERTIFICATE_SETTINGS = settings({
  /** Lifetime of the cluster's own certificate authority. */
  authorityDays: setting(authorityDays, { default: 3650, unit: "days", cost: "reload" }),
  /** Lifetime of a certificate. The first `up` in its last third renews it; an issuer renews without an `up`. */
  days: setting(days, { default: 365, unit: "days", cost: "reload" }),
  /**
   * For an adopted cluster. `serve`: members present certificates from the former authority and trust both. `trust`: they present certificates from
   * the new authority and trust both. `forget`: they trust only the new authority.
   */
  formerAuthority: setting(choice("serve", "trust", "forget"), { default: "serve", cost: "reload" }),
  /**
   * Lets cert-manager sign and renew certificates instead of the cluster's own authority (Kubernetes, [how](docs/kubernetes.md)). Use the issuer for
   * this cluster only: every holder of a certificate from it is admitted.
   */
  issuer: ISSUER_SETTINGS.readonly().optional(),
});
