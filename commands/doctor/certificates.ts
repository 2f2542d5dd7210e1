import { bad, type Finding, good } from "../../components/reach/finding";
import { make, type Stack } from "../stack";

/** Fewer than these and an `up` has been forgotten: it renews in the last third. */
const DAYS = 14;

/** Of certificates that `up` renews. Those of an issuer are a matter of its platform. */
export const checkCertificates = (
  stack: Stack,
  expire: Readonly<Record<string, string>>,
  now: Date,
): readonly Finding[] =>
  Object.entries(expire).map(([name, expires]) => {
    const days = Math.floor((Date.parse(expires) - now.getTime()) / 86_400_000);
    const seen = `certificate ends in ${days} days (${expires.slice(0, 10)})`;
    return days >= DAYS
      ? good(`certificate ${name}`, seen)
      : bad(
          `certificate ${name}`,
          seen,
          `${make(stack, "up")} renews it: docs/runbooks/certificate-expired.md`,
        );
  });
