import { bad, type Finding, good } from "../../components/reach/finding";
import { make, type Stack } from "../stack";

/** `up` renews certificates in the last third of their lifetime, so fewer days mean that no `up` was run. */
const DAYS = 14;

/** Checks certificates that `up` renews. Those of an issuer are checked by the platform. */
export const checkCertificates = (
  stack: Stack,
  expire: Readonly<Record<string, string>>,
  now: Date,
): readonly Finding[] =>
  Object.entries(expire).map(([name, expires]) => {
    const days = Math.floor((Date.parse(expires) - now.getTime()) / 86_400_000);
    const seen =
      days < 0 ? `expired on ${expires.slice(0, 10)}` : `expires in ${days} days (${expires.slice(0, 10)})`;
    return days >= DAYS
      ? good(`certificate ${name}`, seen)
      : bad(
          `certificate ${name}`,
          seen,
          `${make(stack, "up")} renews it: docs/runbooks/certificate-expired.md`,
        );
  });
