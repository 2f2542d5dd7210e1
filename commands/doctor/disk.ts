import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { type Cluster, isRunning } from "../cluster";
import { asGroup } from "../groups";

/** Above this, PostgreSQL will soon stop, because it cannot write WAL. */
const PERCENT = 90;

/** A member's data directory. */
const dataOf = ({ workload }: ClusterMember): string | undefined =>
  workload === "etcd" ? "/var/lib/etcd" : asGroup(workload) ? "/var/lib/postgresql" : undefined;

/** The disk space of each member's data, measured in the member. Members may share a disk without knowing it. */
export async function checkDisks(
  cluster: Cluster,
  all: readonly ClusterMember[],
): Promise<readonly Finding[]> {
  const seen = await Promise.all(
    all.filter(isRunning).flatMap((member) => {
      const folder = dataOf(member);
      if (folder === undefined) return [];
      const ask = ["df", "--output=pcent,avail", "--block-size=1M", folder];
      return [
        cluster.execute(member.name, ask).then(
          (text) => ({ name: member.name, ...readDisk(text) }),
          (error: unknown) => ({ name: member.name, problem: messageOf(error) }),
        ),
      ];
    }),
  );
  return judgeDisks(seen);
}

type Disk =
  | { readonly name: string; readonly percent: number; readonly freeMegabytes: number }
  | { readonly name: string; readonly problem: string };

/** Reads the output of `df --output=pcent,avail --block-size=1M`. */
export function readDisk(
  text: string,
): { readonly percent: number; readonly freeMegabytes: number } | { readonly problem: string } {
  const [, percent, free] = /(\d+)%\s+(\d+)\s*$/.exec(text) ?? [];
  return percent === undefined
    ? { problem: `unexpected output of df: ${JSON.stringify(text)}` }
    : { percent: Number(percent), freeMegabytes: Number(free) };
}

export function judgeDisks(disks: readonly Disk[]): readonly Finding[] {
  if (disks.length === 0) return [bad("disk", "no member with data is running", "see above")];
  const wrong = disks.flatMap((disk) => {
    if ("problem" in disk) return [bad("disk", `${disk.name}: ${disk.problem}`, "see above")];
    if (disk.percent < PERCENT) return [];
    const seen = `${disk.name}: ${disk.percent} % of its data volume is used, ${disk.freeMegabytes} MB left`;
    return [bad("disk", seen, "free space before PostgreSQL stops: docs/runbooks/disk-full.md")];
  });
  if (wrong.length > 0) return wrong;
  const fullest = Math.max(...disks.map((disk) => ("percent" in disk ? disk.percent : 0)));
  return [good("disk", `at most ${fullest} % of the data volumes of ${disks.length} members is used`)];
}
