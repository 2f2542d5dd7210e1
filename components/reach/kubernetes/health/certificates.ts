import type { Certificate } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Of an issuer's certificates: whether each is issued, and when cert-manager renews it. None where the cluster has its own authority. */
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
      return bad(part, `not issued: ${why || "cert-manager has not said anything of it"}`, remedy);
    }
    // It renews within minutes; what is late by a day is refused or forgotten.
    if (renewalTime !== undefined && now.getTime() - Date.parse(renewalTime) > 86_400_000)
      return bad(
        part,
        `ends ${day(notAfter)}, and should have been renewed ${day(renewalTime)}${issuing?.message ? `: ${issuing.message}` : ""}`,
        remedy,
      );
    return good(part, `issued, ends ${day(notAfter)}; cert-manager renews it ${day(renewalTime)}`);
  });
}
