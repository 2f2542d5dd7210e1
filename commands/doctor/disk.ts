import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { type Cluster, isRunning } from "../cluster";
import { asGroup } from "../groups";

/** More than this and PostgreSQL will stop before long, for want of room for WAL. */
const PERCENT = 90;

/** Where the data of a member lie. */
const dataOf = ({ workload }: ClusterMember): string | undefined =>
  workload === "etcd" ? "/var/lib/etcd" : asGroup(workload) ? "/var/lib/postgresql" : undefined;

/** The space that each member's data have, as it is seen inside: members may share a disk, and none can tell. */
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

/** What `df --output=pcent,avail --block-size=1M` says. */
export function readDisk(
  text: string,
): { readonly percent: number; readonly freeMegabytes: number } | { readonly problem: string } {
  const [, percent, free] = /(\d+)%\s+(\d+)\s*$/.exec(text) ?? [];
  return percent === undefined
    ? { problem: `df said ${JSON.stringify(text)}` }
    : { percent: Number(percent), freeMegabytes: Number(free) };
}

export function judgeDisks(disks: readonly Disk[]): readonly Finding[] {
  if (disks.length === 0) return [bad("disk", "no member with data runs", "see above")];
  const wrong = disks.flatMap((disk) => {
    if ("problem" in disk) return [bad("disk", `${disk.name}: ${disk.problem}`, "see above")];
    if (disk.percent < PERCENT) return [];
    const seen = `${disk.name}: ${disk.percent} % used where its data lie, ${disk.freeMegabytes} MB left`;
    return [bad("disk", seen, "free space before PostgreSQL stops: docs/runbooks/disk-full.md")];
  });
  if (wrong.length > 0) return wrong;
  const fullest = Math.max(...disks.map((disk) => ("percent" in disk ? disk.percent : 0)));
  return [good("disk", `at most ${fullest} % used where the data of ${disks.length} members lie`)];
}
