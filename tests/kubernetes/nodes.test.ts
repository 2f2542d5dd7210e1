import { onKubernetes, type Promised } from "../support/promises";
import { eventually } from "../support/stack";
import type { Writer, WriterReport } from "../support/writer";
import { kubectl } from "./kubectl";
import { KubernetesStack, withKubernetes } from "./cluster";
import { addNodes, apiServer, nameServer, ourNodes, powerOff, powerOn, removeNodes } from "./nodes";
import { WriteGaps } from "./write-gaps";

const MEMBERS = 3;
/** Besides the first, which is the machine itself and cannot be switched off. */
const FURTHER = ["node-2", "node-3"];
const stack = new KubernetesStack("kube-nodes", {
  etcd: { members: 3, memory: "256Mi", cpu: "125m", cpuLimit: "none", volumeSize: "1Gi" },
  patroni: {
    ...{ members: MEMBERS, memory: "640Mi", cpu: "300m", cpuLimit: "none", volumeSize: "1Gi" },
    parameters: { shared_buffers: "128MB", max_connections: 100 },
  },
  proxy: { entries: 2, writePools: 2, readPools: 2, poolSize: 10, drainSeconds: 10, cpu: "20m" },
});
const gaps = new WriteGaps(stack, MEMBERS);
const during = (
  promised: Promised,
  change: (leader: string, writer: Writer) => Promise<unknown>,
): Promise<WriterReport> => gaps.during(promised, change, { maxLifetimeMs: 3000 });

const nodeOf = async (pod: string): Promise<string> =>
  (await stack.podsOf("patroni")).find(({ name }) => name === pod)?.node ?? "";

/** Hands leadership to a member on one of the further nodes, if it is not there; resolves with the leader's node. */
async function leadOnFurtherNode(): Promise<string> {
  const leader = await stack.whole(MEMBERS);
  const at = await nodeOf(leader);
  if (FURTHER.includes(at)) return at;
  const candidate = (await stack.podsOf("patroni")).find(({ node }) => FURTHER.includes(node));
  if (!candidate) throw new Error("no member is on a further node");
  await stack.inPod(
    leader,
    ...["patronictl", "switchover", "--force", "--leader", leader, "--candidate", candidate.name],
  );
  expect(await stack.whole(MEMBERS)).toBe(candidate.name);
  return candidate.node;
}

/** The leader that the members which are left agree on. */
const successorOf = (leader: string): Promise<string> =>
  eventually("another member leads", 120_000, async () => {
    const found = (await stack.patroni()).find(({ role, state }) => role === "leader" && state === "running");
    if (!found || found.name === leader) throw new Error(JSON.stringify(found));
    return found.name;
  });

/** One node takes nobody. The volumes of the storage class are one node's, so the members on it wait; pools and entries go elsewhere. */
const readyElsewhere = (): Promise<void> =>
  eventually("pools and entries are ready elsewhere", 120_000, async () => {
    expect(await stack.readyPods()).toEqual({
      ...{ etcd: 2, patroni: MEMBERS - 1, haproxy: 2, "pool-read": 2, "pool-write": 2 },
    });
  });

(withKubernetes && ourNodes ? describe : describe.skip)("the prod stack on three nodes (C4, H1)", () => {
  beforeAll(async () => {
    await addNodes(FURTHER);
    await stack.start();
    await stack.prepareWrites();
  });
  afterAll(async () => {
    gaps.report();
    if (process.env["KEEP_STACK"]) return;
    await stack.remove();
    await removeNodes();
  });

  test("the members of a group are on different nodes, as far as there are nodes", async () => {
    for (const [workload, nodes] of Object.entries({ etcd: 3, patroni: 3, haproxy: 2, "pool-write": 2 }))
      expect([workload, new Set((await stack.podsOf(workload)).map(({ node }) => node)).size]).toEqual([
        workload,
        nodes,
      ]);
  });

  test("the name server is down for longer than anybody keeps an address: no transaction fails, of new sessions either", async () => {
    const report = await during(onKubernetes("The name server does not answer"), async (_leader, writer) => {
      await nameServer.stop();
      try {
        const until = Date.now() + 40_000;
        while (Date.now() < until) await writer.awaitAcknowledged(20);
      } finally {
        await nameServer.start();
      }
    });
    expect(report.errors).toEqual([]);
  });

  test("a node is drained: what can go elsewhere does, and no transaction fails", async () => {
    const node = await leadOnFurtherNode();
    const report = await during(onKubernetes("A node is drained, others are there"), async () => {
      try {
        await kubectl([
          ...["drain", node, "--delete-emptydir-data", "--timeout=240s"],
          ...["--pod-selector", `app.kubernetes.io/instance=${stack.cluster}`],
        ]);
        await readyElsewhere();
      } finally {
        await kubectl(["uncordon", node]);
      }
    });
    expect(report.errors).toEqual([]);
  });

  test("the leader's node loses its power: another member leads, and the lost one comes back with its node", async () => {
    const node = await leadOnFurtherNode();
    await during(onKubernetes("The leader's node loses its power"), async (leader) => {
      await powerOff(node);
      await successorOf(leader);
      await powerOn(node);
    });
  });

  test("a lost node that is declared to be out of service: its pools and entries come up elsewhere", async () => {
    const node = await leadOnFurtherNode();
    const taint = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";
    await during(onKubernetes("The leader's node loses its power"), async (leader) => {
      await powerOff(node);
      await successorOf(leader);
      await kubectl(["taint", "nodes", node, taint]);
      await readyElsewhere();
      await powerOn(node);
      await kubectl(["taint", "nodes", node, `${taint}-`]);
    });
  });

  test("the API server is down, and then the leader's node, too: the database goes on without both", async () => {
    const node = await leadOnFurtherNode();
    await during(onKubernetes("The API server is down, too"), async (leader, writer) => {
      await apiServer.stop();
      try {
        await writer.awaitAcknowledged(500);
        await powerOff(node);
        await writer.awaitAcknowledged(500);
      } finally {
        await apiServer.start();
      }
      await successorOf(leader);
      await powerOn(node);
    });
  });
});
