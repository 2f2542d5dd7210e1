import { isUnknown } from "../../../dynamic/unknown-value";
import type { Role } from "./plan";

interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** List parameters: `SET search_path TO 'a, b'` would mean a single schema of that name. */
const LIST_SETTINGS =
  "search_path temp_tablespaces local_preload_libraries session_preload_libraries shared_preload_libraries";

export function checkRoles(roles: readonly Role[]): Failure[] {
  if (isUnknown(roles)) return [];
  const failures: Failure[] = [];
  const fail = (reason: string): void => {
    failures.push({ property: "roles", reason });
  };
  for (const role of roles) {
    if (role.name.length === 0 || Buffer.byteLength(role.name) > 63) {
      fail(`a role's name must have 1 to 63 bytes (PostgreSQL truncates longer names), got "${role.name}"`);
    }
    if (/^pg_/.test(role.name) || ["public", "none", "postgres"].includes(role.name)) {
      fail(`"${role.name}" is reserved for PostgreSQL or Patroni: choose another name`);
    }
    if (!Number.isInteger(role.connectionLimit) || role.connectionLimit < -1) {
      fail(
        `${role.name}: connectionLimit must be a whole number of at least 0, or -1 for no limit, got ${role.connectionLimit}`,
      );
    }
    for (const setting of Object.keys(role.settings)) {
      if (LIST_SETTINGS.split(" ").includes(setting)) {
        fail(
          `${role.name}: ${setting} is a list parameter, which cannot be set here: set it with ALTER ROLE`,
        );
      }
    }
  }
  const names = roles.map((role) => role.name);
  for (const name of new Set(names.filter((other, index) => names.indexOf(other) !== index)))
    fail(`"${name}" is declared twice`);
  return failures;
}

/** Other characters may be changed by SASLprep, and a verifier computed without it would reject the correct password. */
export function checkPasswords(passwords: Readonly<Record<string, string>>): Failure[] {
  if (isUnknown(passwords)) return [];
  return Object.entries(passwords)
    .filter(([, password]) => !/^[\x20-\x7e]+$/.test(password))
    .map(([name]) => ({
      property: "passwords",
      reason: `the password of ${name} must be printable ASCII and not empty`,
    }));
}
