import type { Scope } from "./plan";

export function checkScopes(scopes: readonly Scope[]): { property: string; reason: string }[] {
  const failures: { property: string; reason: string }[] = [];
  for (const { user, prefix } of scopes) {
    if (user === "root")
      failures.push({
        property: "scopes",
        reason: `a scope's user must not be "root", which is etcd's administrator: choose another name`,
      });
    if (!/^\/[\x21-\x7e]*\/$/.test(prefix)) {
      failures.push({
        property: "scopes",
        reason: `the prefix of ${user} must start and end with "/" and be printable ASCII without spaces, got "${prefix}"`,
      });
    }
  }
  const twice = scopes
    .map((scope) => scope.user)
    .filter((user, index, users) => users.indexOf(user) !== index);
  for (const user of twice) failures.push({ property: "scopes", reason: `user "${user}" is declared twice` });
  // Overlapping prefixes, such as `/service/a/` and `/service/a/b/`, would share keys.
  for (const a of scopes) {
    for (const b of scopes) {
      if (a.user < b.user && (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix))) {
        failures.push({
          property: "scopes",
          reason: `the prefixes of ${a.user} and ${b.user} overlap: ${a.prefix}, ${b.prefix}`,
        });
      }
    }
  }
  return failures;
}
