import { messageOf } from "../../components/dynamic/reason";
import type { ClusterMember } from "../../components/reach/cluster-members";
import { bad, type Finding, good } from "../../components/reach/finding";
import { judgeCluster, type RegisteredNode } from "../../components/resources/sql/cluster-check/plan";
import { readAllNodesStatement } from "../../components/resources/sql/cluster-check/statements";
import { readHealthStatement } from "../../components/resources/sql/worker-groups/statements";
import type { Cluster } from "../cluster";
import { type Group, isLeader, leader, patroniMembers } from "../groups";
import { rowsIn } from "../inside";
import { externalWorkers } from "../stack";

/** Compares the coordinator's list of nodes with the members and with Patroni's view of them. */
export async function checkNodes(
  cluster: Cluster,
  databases: readonly Group[],
  all: readonly ClusterMember[],
): Promise<readonly Finding[]> {
  const part = "Citus nodes";
  const remedy = "docs/runbooks/citus-nodes.md";
  const [coordinators] = databases;
  if (coordinators?.number === undefined) return [];
  try {
    const from = await leader(cluster, coordinators);
    const rows = async <Row>(sql: string): Promise<Row[]> =>
      JSON.parse(await cluster.execute(from, rowsIn(cluster.database, sql))) as Row[];
    const views = await Promise.all(
      databases.map((group) =>
        patroniMembers(cluster, group).then(
          (known) => ({
            members: known.map((member) => ({
              name: member.Member,
              role: isLeader(member) ? "leader" : "replica",
            })),
          }),
          (error: unknown) => ({ problem: messageOf(error) }),
        ),
      ),
    );
    const expected = databases.map(({ number = 0, workload }) => ({
      group: number,
      members: all
        .filter((member) => member.workload === workload)
        .map(({ name, address }) => ({ name, host: address })),
    }));
    const outside = externalWorkers(cluster.stack).map(({ group, host }) => ({
      ...{ group, external: true },
      members: [{ name: host, host }],
    }));
    const nodes = await rows<RegisteredNode>(readAllNodesStatement());
    const problems = judgeCluster([...expected, ...outside], {
      nodes,
      dcs: Object.fromEntries(views.map((view, i) => [expected[i]?.group ?? i, view])),
      broken: await rows(readHealthStatement()),
    });
    return problems.length > 0
      ? problems.map((problem) => bad(part, problem, remedy))
      : [good(part, `${nodes.length} registered correctly, each reaches every other one`)];
  } catch (error) {
    return [bad(part, messageOf(error), remedy)];
  }
}
