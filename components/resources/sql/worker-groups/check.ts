import { isUnknown } from "../../../dynamic/unknown-value";
import type { GroupSpec } from "./plan";

/** Checks a change of the groups. */
export function checkGroups(
  before: readonly GroupSpec[] | undefined,
  groups: readonly GroupSpec[],
): { property: string; reason: string }[] {
  if (isUnknown(groups)) return [];
  const failures: { property: string; reason: string }[] = [];
  if (groups.length === 0)
    failures.push({ property: "groups", reason: "there must be at least one worker group" });
  const numbers = groups.map(({ group }) => group);
  for (const group of new Set(numbers.filter((number, i) => numbers.indexOf(number) !== i)))
    failures.push({ property: "groups", reason: `two worker groups have the number ${group}` });
  const leaving = (before ?? []).filter(({ group }) => !numbers.includes(group));
  const coming = groups.filter(({ group }) => !(before ?? []).some((other) => other.group === group));
  if (before !== undefined && leaving.length > 0 && coming.length > 0) {
    const names = (list: readonly GroupSpec[]): string => list.map(({ group }) => group).join(", ");
    failures.push({
      property: "groups",
      reason:
        `groups ${names(coming)} are added and ${names(leaving)} removed in one change: shards would be moved to groups that have never ` +
        "run yet. Add the new groups first, and remove the others in the next change",
    });
  }
  return failures;
}
