import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { recordedState } from "../../../dynamic/recorded-state";
import { orDrift } from "../../../dynamic/drift";
import { waitUntil } from "../../../dynamic/wait-until";
import type { RestMember } from "../../patroni/rest";
import { withPatroni } from "../../patroni/rest";
import type { SessionTarget } from "../session";
import { withSession } from "../session";
import { readHealthStatement } from "../worker-groups/statements";
import type { ClusterObservation, RegisteredNode } from "./plan";
import { judgeCluster } from "./plan";
import { readAllNodesStatement } from "./statements";
import { printProgress } from "../../../dynamic/progress";
import { messageOf } from "../../../dynamic/reason";

/** Increase this when the checks change: the next `up` then checks again, although no input changed. */
export const CLUSTER_CHECK_PROVIDER_VERSION = 1;

export interface CheckedGroup {
  readonly group: number;
  /** `serverName` is also the member's host name in `pg_dist_node`. */
  readonly members: readonly RestMember[];
  /** Instead of members: the address of one node outside the stack, without Patroni. */
  readonly external?: string;
}

export interface ClusterCheckInputs {
  /** A session on the coordinators' leader, in the distributed database. */
  readonly coordinator: Omit<SessionTarget, "password">;
  readonly password: string;
  readonly groups: readonly CheckedGroup[];
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type ClusterCheckOutputs = ClusterCheckInputs & {
  /** Problems that a refresh found. The next `up` checks again. */
  readonly drift: readonly string[];
};

async function readDcs({ members }: CheckedGroup, ca: string): Promise<ClusterObservation["dcs"][number]> {
  try {
    // Reading needs no login.
    return await withPatroni({ members, ca, username: "", password: "" }, async (rest) => {
      const { status, json } = await rest.sendToAny({ method: "GET", path: "/cluster", timeoutMs: 3000 });
      if (status !== 200) throw new Error(`status ${status} for /cluster`);
      const known = (json as { members?: { name: string; role: string }[] }).members ?? [];
      return { members: known.map(({ name, role }) => ({ name, role })) };
    });
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** All current problems. Fails if the coordinators' leader cannot be reached. */
async function look(inputs: ClusterCheckInputs, deadlineSeconds: number): Promise<readonly string[]> {
  const { coordinator, password, groups } = inputs;
  const views = Promise.all(groups.map((group) => readDcs(group, coordinator.ca)));
  const rows = await withSession(
    { ...coordinator, password },
    async (session) => ({
      nodes: await session.query<RegisteredNode>(readAllNodesStatement()),
      broken: await session.query<{ from: string; to: string }>(readHealthStatement()),
    }),
    { deadlineSeconds },
  );
  const dcs = await views;
  return judgeCluster(
    groups.map(({ group, members, external }) =>
      external === undefined
        ? { group, members: members.map(({ name, serverName }) => ({ name, host: serverName })) }
        : { group, members: [{ name: external, host: external }], external: true },
    ),
    { ...rows, dcs: Object.fromEntries(groups.map(({ group }, i) => [group, dcs[i] ?? { members: [] }])) },
  );
}

/** Waits until there are no problems. At the deadline it fails with all of them. */
async function prove(inputs: ClusterCheckInputs): Promise<ClusterCheckOutputs> {
  const { deadlineSeconds } = inputs;
  let problems: readonly string[] = [];
  try {
    const options = { what: "the nodes are as declared", deadlineSeconds, intervalMs: 1000 };
    await waitUntil(options, async () => {
      problems = await look(inputs, 0);
      return problems.length === 0
        ? { done: true as const, value: undefined }
        : { done: false as const, why: problems.join("; ") };
    });
    return { ...inputs, drift: [] };
  } catch (error) {
    if (problems.length === 0) throw error;
    const list = problems.map((problem) => `  - ${problem}`).join("\n");
    throw new Error(
      `the nodes still differ from the declaration after ${deadlineSeconds} s (docs/runbooks/citus-nodes.md):\n${list}`,
      { cause: error },
    );
  }
}

export const clusterCheckProvider: dynamic.ResourceProvider<ClusterCheckInputs, ClusterCheckOutputs> = {
  /** Also checks in previews, so that the plan shows new problems. Reports them and never fails. */
  async diff(_id, olds, news) {
    const names = ["coordinator", "password", "groups", "providerVersion"];
    if (changedInputs(olds, news, names).changed.length > 0 || olds.drift.length > 0)
      return { changes: true, replaces: [] };
    try {
      const problems = await look(news, 0);
      for (const line of problems) printProgress(`nodes: ${line}`);
      return { changes: problems.length > 0, replaces: [] };
    } catch (error) {
      printProgress(`cannot read the nodes: ${messageOf(error)}`);
      return { changes: true, replaces: [] };
    }
  },

  async create(inputs) {
    return { id: "cluster", outs: await prove(inputs) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    return orDrift(id, recorded, async () => {
      const problems = await look(recorded, 15);
      for (const line of problems) printProgress(`nodes: ${line}`);
      return { id, props: { ...recorded, drift: problems } };
    });
  },

  async update(_id, _olds, news) {
    return { outs: await prove(news) };
  },
};
