import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { type Check, GUESTS_DIRECTORY } from "../../config-files/guests/guests";
import { type Cluster, isRunning } from "../cluster";
import { groupsOf, isLeader, patroniMembers } from "../groups";
import { readLog } from "./read-log";

/** Prints a member's `guests.json`, or nothing if it has no guests. */
const READ = [
  "sh",
  "-c",
  `if [ -e ${GUESTS_DIRECTORY}/guests.json ]; then cat ${GUESTS_DIRECTORY}/guests.json; fi`,
];

/** Runs the checks of the members' guests. The checks are declared in the members, so the commands know no guest by name. */
export async function checkGuests(
  cluster: Cluster,
  all: readonly ClusterMember[],
): Promise<readonly Finding[]> {
  const leaders = await leadersOf(cluster, all);
  const found = await Promise.all(
    all.filter(isRunning).map(async ({ name }) => {
      try {
        const checks = readChecks(await cluster.execute(name, READ));
        return await Promise.all(
          checks
            .filter(({ of }) => of !== "leader" || leaders.has(name))
            .map((check) => ask(cluster, name, check)),
        );
      } catch (error) {
        return [bad(`${name} guests`, messageOf(error), readLog(cluster, name))];
      }
    }),
  );
  return found.flat();
}

export const readChecks = (text: string): readonly Check[] =>
  text === "" ? [] : ((JSON.parse(text) as { readonly checks?: readonly Check[] }).checks ?? []);

async function ask(cluster: Cluster, member: string, check: Check): Promise<Finding> {
  const part = `${member} ${check.name}`;
  try {
    const { exitCode, output } = await cluster.reach.execute(member, check.command, check.timeoutSeconds);
    const [seen = ""] = output.split("\n");
    return exitCode === 0 ? good(part, seen) : bad(part, seen || `exit code ${exitCode}`, check.remedy);
  } catch (error) {
    return bad(part, messageOf(error), check.remedy);
  }
}

/** The leader of each group that has one. */
async function leadersOf(cluster: Cluster, all: readonly ClusterMember[]): Promise<ReadonlySet<string>> {
  const groups = await Promise.all(
    groupsOf(all).map((group) => patroniMembers(cluster, group).catch(() => [])),
  );
  return new Set(
    groups
      .flat()
      .filter(isLeader)
      .map(({ Member }) => Member),
  );
}
