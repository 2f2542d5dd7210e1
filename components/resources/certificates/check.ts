import type { AuthoritySpec, LeafSpec } from "./issue";
import { isUnknown } from "../../dynamic/unknown-value";

/** An invalid input; Pulumi shows it with the resource's name. */
export interface InputFailure {
  readonly property: string;
  readonly reason: string;
}

function lifetimeFailures(lifetimeDays: number): InputFailure[] {
  if (isUnknown(lifetimeDays)) return [];
  return Number.isFinite(lifetimeDays) && lifetimeDays > 0
    ? []
    : [
        {
          property: "lifetimeDays",
          reason: `must be a number of days greater than 0, got ${String(lifetimeDays)}`,
        },
      ];
}

function nameFailures(commonName: string): InputFailure[] {
  if (isUnknown(commonName)) return [];
  // X.520 limits common names to 64 characters (ub-common-name), and OpenSSL rejects longer ones.
  return commonName.length >= 1 && commonName.length <= 64
    ? []
    : [
        {
          property: "commonName",
          reason: `must have 1 to 64 characters, got ${commonName.length}: "${commonName}"`,
        },
      ];
}

export function checkAuthority(spec: AuthoritySpec): InputFailure[] {
  return [...nameFailures(spec.commonName), ...lifetimeFailures(spec.lifetimeDays)];
}

/** Unknown values are skipped; they are checked once they are known. */
export function checkCertificate(spec: LeafSpec): InputFailure[] {
  const { isIP } = require("node:net") as typeof import("node:net");
  const failures = [...nameFailures(spec.commonName), ...lifetimeFailures(spec.lifetimeDays)];
  if (!isUnknown(spec.usages) && spec.usages.length === 0) {
    failures.push({ property: "usages", reason: `must be "server", "client" or both, got none` });
  }
  if (
    !isUnknown(spec.dnsNames) &&
    !isUnknown(spec.ipAddresses) &&
    spec.dnsNames.length + spec.ipAddresses.length === 0
  ) {
    failures.push({
      property: "dnsNames",
      reason:
        "must have at least one DNS name, or ipAddresses at least one address: clients do not verify the common name",
    });
  }
  if (!isUnknown(spec.ipAddresses)) {
    for (const address of spec.ipAddresses) {
      if (isIP(address) === 0)
        failures.push({ property: "ipAddresses", reason: `must be IP addresses, got "${address}"` });
    }
  }
  return failures;
}
