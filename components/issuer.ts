import { X509Certificate } from "node:crypto";
import { ISSUER_SETTINGS } from "./certificate-settings";
import type { IssuerRef } from "./platforms/platform";
import type { Problem } from "./settings/problems";
import { resolveSettings } from "./settings/resolve";
import type { Written } from "./settings/setting";

export interface IssuerArgs extends Written<typeof ISSUER_SETTINGS> {}

export interface ResolvedIssuer {
  readonly issuer: IssuerRef;
  readonly authority: string;
  /** When the first of the authorities expires. */
  readonly authorityEnds: Date;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Splits a PEM text into its certificates. */
export const certificatesIn = (pem: string): readonly string[] => pem.match(CERTIFICATE) ?? [];

/** @param now The time at which expiry is checked. */
export function resolveIssuer(
  args: IssuerArgs,
  now = new Date(),
): { readonly value: ResolvedIssuer; readonly problems: readonly Problem[] } {
  const { value, problems: own } = resolveSettings(ISSUER_SETTINGS, args, "certificates.issuer");
  const { name, kind, group, authority } = value;
  const problems = [...own];
  if (!name) {
    problems.push({
      setting: "certificates.issuer.name",
      value: name,
      rule: "must name the issuer that signs the cluster's certificates",
      remedy: "Write its name",
    });
  }
  const { ends, problems: found } = readAuthority(authority, now);
  problems.push(...found);
  return {
    value: {
      issuer: { name: name ?? "", kind, group },
      // Only the certificates: text above one, as `openssl x509 -text` writes it, does not belong in a trust store.
      authority: certificatesIn(authority ?? "")
        .map((certificate) => `${certificate}\n`)
        .join(""),
      authorityEnds: ends ?? now,
    },
    problems,
  };
}

const endOf = (certificate: X509Certificate): Date => new Date(certificate.validTo);

function readAuthority(
  pem: string | undefined,
  now: Date,
): { readonly ends?: Date; readonly problems: readonly Problem[] } {
  const remedy = "Write the PEM of the authority's certificate, from -----BEGIN to -----END CERTIFICATE-----";
  const problem = (value: unknown, rule: string, what = remedy): Problem => ({
    setting: "certificates.issuer.authority",
    value,
    rule,
    remedy: what,
  });
  // It is not secret, but long. A private key pasted here by mistake must not be printed.
  const shown =
    pem === undefined ? undefined : (/^-----BEGIN [A-Z ]+-----/.exec(pem)?.[0] ?? `${pem.length} characters`);
  if (pem?.includes("PRIVATE KEY-----")) {
    const rule = "contains a private key, but this setting is not secret";
    return { problems: [problem(shown, rule, "Write only the certificate; the key stays with the issuer")] };
  }
  const certificates = certificatesIn(pem ?? "");
  if (certificates.length === 0)
    return { problems: [problem(shown, "must be the certificate authority that members and clients trust")] };
  const problems: Problem[] = [];
  const read = certificates.flatMap((text) => {
    try {
      return [new X509Certificate(text)];
    } catch (error) {
      problems.push(problem(shown, `contains an unreadable certificate (${(error as Error).message})`));
      return [];
    }
  });
  for (const certificate of read) {
    const { subject, ca } = certificate;
    const until = endOf(certificate);
    if (!ca) problems.push(problem(subject, "is not a CA certificate, so it must not sign others"));
    else if (until <= now)
      problems.push(
        problem(
          subject,
          `expired on ${until.toISOString().slice(0, 10)}`,
          "Write the authority that signs now",
        ),
      );
    else if (!read.some((by) => certificate.checkIssued(by) && certificate.verify(by.publicKey)))
      problems.push(
        problem(
          subject,
          "is signed by an authority that is missing here, and OpenSSL trusts only complete chains",
          "Add that authority's certificate",
        ),
      );
  }
  const [ends] = read.map(endOf).sort((a, b) => a.getTime() - b.getTime());
  return { problems, ...(ends && { ends }) };
}
