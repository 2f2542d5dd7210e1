import { isUnknown } from "../../../dynamic/unknown-value";
import type { DatabaseSpec } from "./plan";

export function checkDatabase(spec: DatabaseSpec): { property: string; reason: string }[] {
  const failures: { property: string; reason: string }[] = [];
  if (!isUnknown(spec.name)) {
    if (spec.name.length === 0 || Buffer.byteLength(spec.name) > 63) {
      failures.push({
        property: "name",
        reason: `must have 1 to 63 bytes (PostgreSQL truncates longer names), got "${spec.name}"`,
      });
    }
    if (["postgres", "template0", "template1"].includes(spec.name)) {
      failures.push({
        property: "name",
        reason: `"${spec.name}" is one of PostgreSQL's own databases: choose another name`,
      });
    }
  }
  if (!isUnknown(spec.access) && !isUnknown(spec.owner)) {
    const named = [spec.owner, ...spec.access.readWrite, ...spec.access.readOnly];
    for (const role of new Set(named.filter((other, index) => named.indexOf(other) !== index))) {
      failures.push({
        property: "access",
        reason: `"${role}" is named twice among owner, readWrite and readOnly: it must be one of them`,
      });
    }
  }
  return failures;
}
