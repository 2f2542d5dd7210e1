import type { Certificate } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Checks that cert-manager has issued each certificate and renews it on time. A cluster with its own authority has no such certificates. */
export function judgeCertificates(certificates: readonly Certificate[], now: Date): readonly Finding[] {
  return certificates.map(({ metadata, status }) => {
    const part = `certificate ${metadata?.name ?? ""}`;
    const { conditions = [], notAfter, renewalTime } = status ?? {};
    const day = (time: string | undefined): string => time?.slice(0, 10) ?? "?";
    const ready = conditions.find(({ type }) => type === "Ready");
    const issuing = conditions.find(({ type, status: is }) => type === "Issuing" && is === "False");
    const remedy = "docs/runbooks/certificate-expired.md, With an issuer";
    if (ready?.status !== "True") {
      const why = [ready?.message, issuing?.message].filter(Boolean).join("; ");
      return bad(part, `not issued: ${why || "cert-manager has not reported a status"}`, remedy);
    }
    // cert-manager renews within minutes; if it is a day late, the renewal was refused or is stuck.
    if (renewalTime !== undefined && now.getTime() - Date.parse(renewalTime) > 86_400_000)
      return bad(
        part,
        `expires ${day(notAfter)}, should have been renewed ${day(renewalTime)}${issuing?.message ? `: ${issuing.message}` : ""}`,
        remedy,
      );
    return good(part, `issued, expires ${day(notAfter)}; cert-manager renews it ${day(renewalTime)}`);
  });
}
