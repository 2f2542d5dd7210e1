/** When a certificate is due for renewal. Pure: the time is an argument. */

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export type CertificatePlan =
  { readonly action: "keep" } | { readonly action: "issue" | "renew"; readonly why: string };

/** Renewed when less than this fraction of the lifetime is left, as ACME clients do. */
const RENEW_BELOW = 1 / 3;

/**
 * @param current undefined if there is no readable certificate
 */
export function planCertificate(now: Date, current: Validity | undefined): CertificatePlan {
  if (current === undefined) return { action: "issue", why: "there is no readable certificate" };
  const lifetime = current.notAfter.getTime() - current.notBefore.getTime();
  const left = current.notAfter.getTime() - now.getTime();
  if (left <= 0) return { action: "renew", why: `it expired on ${current.notAfter.toISOString()}` };
  if (left < lifetime * RENEW_BELOW) {
    return {
      action: "renew",
      why: `less than a third of its lifetime is left; it expires on ${current.notAfter.toISOString()}`,
    };
  }
  return { action: "keep" };
}

/** The validity of a PEM certificate; undefined if the text is not one. */
export function validityOf(pem: unknown): Validity | undefined {
  const { X509Certificate } = require("node:crypto") as typeof import("node:crypto");
  if (typeof pem !== "string") return undefined;
  try {
    const certificate = new X509Certificate(pem);
    return { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
  } catch {
    return undefined;
  }
}
