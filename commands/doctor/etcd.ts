import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { type ListedMember, memberLabel, undeclared } from "../../components/resources/etcd/members";
import type { Cluster } from "../cluster";
import { etcdctl } from "../inside";
import { make } from "../stack";
import { readLog } from "./read-log";

/** Whether a majority serves, and etcd lists no undeclared member. */
export async function checkEtcd(cluster: Cluster, all: readonly ClusterMember[]): Promise<Finding> {
  const etcd = all.filter((member) => member.workload === "etcd");
  const serving = await Promise.all(
    etcd.map(({ name }) =>
      cluster.execute(name, ["etcd-ready"]).then(
        () => true,
        () => false,
      ),
    ),
  );
  const count = serving.filter(Boolean).length;
  const majority = Math.floor(etcd.length / 2) + 1;
  const seen = `${count} of ${etcd.length} members serve`;
  const serves = etcd[serving.indexOf(true)];
  if (serves !== undefined) {
    const counted = await countedMembers(cluster, serves).catch((error: unknown) => messageOf(error));
    if (typeof counted === "string") return bad("etcd", counted, readLog(cluster, serves.name));
    const declared = etcd.map(({ address }) => ({ serverName: address }));
    const others = undeclared(counted, declared).map(memberLabel);
    if (others.length > 0)
      return bad(
        "etcd",
        `${seen}; etcd also lists ${others.join(", ")}, which is not declared`,
        `it counts towards the majority: ${make(cluster.stack, "up")} removes it`,
      );
  }
  if (count === etcd.length) return good("etcd", seen);
  return bad(
    "etcd",
    `${seen}, ${majority} are required`,
    count >= majority
      ? "if one more member is lost, no failover is possible: docs/runbooks/etcd-member-lost.md"
      : "no failover is possible until a majority serves again: docs/runbooks/etcd-majority-lost.md",
  );
}

/** The members in etcd's own list. */
async function countedMembers(
  cluster: Cluster,
  { name }: Pick<ClusterMember, "name">,
): Promise<readonly ListedMember[]> {
  const list = await cluster.execute(name, etcdctl("member list --write-out=json"));
  return (JSON.parse(list) as { members: readonly ListedMember[] }).members;
}
