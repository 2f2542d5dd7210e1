import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { imagesWith } from "../../config-files/images";
import { claimCommands } from "../support/command-claims";
import { Operator } from "../support/commands";
import { citusPackage, withCitus } from "../support/citus";
import { distributed, failures } from "../support/distributed";
import { inFailover } from "../support/promises";
import type { Settings } from "../support/stack";
import { NOWHERE } from "./account";
import { KubernetesStack, withKubernetes } from "./cluster";

/** Prod as it is, but for limits of processor time: two cores hold three worker groups if each takes what is free. */
const stack = new KubernetesStack(
  "kube-citus",
  {
    citus: "required",
    etcd: { members: 3, memory: "256Mi", cpu: "50m", cpuLimit: "none", volumeSize: "1Gi" },
    patroni: {
      members: 2,
      memory: "640Mi",
      cpu: "100m",
      cpuLimit: "none",
      volumeSize: "1Gi",
      parameters: { shared_buffers: "128MB", max_connections: 100, "citus.shard_count": 12 },
    },
    workers: { groups: 2, members: 2 },
    proxy: { entries: 1, writePools: 1, readPools: 1, poolSize: 10, cpu: "20m" },
  },
  imagesWith({ citus: citusPackage }),
);
const { inPod, deletePod } = stack;
const { leaderOf, nodes, note, prepare, report, settled, shards, sql, underLoad } = distributed(stack, inPod);
const workers = (groups: number): Settings => ({ workers: { groups } });

(withKubernetes && withCitus ? describe : describe.skip)("a distributed database on Kubernetes (C4)", () => {
  beforeAll(async () => {
    await stack.start();
    await prepare();
  });
  afterAll(async () => {
    report();
    if (!process.env["KEEP_STACK"]) await stack.remove();
  });

  test("comes up with rows on every group, and a second preview plans nothing (D1)", async () => {
    expect(Object.keys(await shards())).toEqual(["1", "2"]);
    await settled([1, 2]);
    await stack.preview("--expect-no-changes");
  });

  test("nodes know each other by names that outlive their pods", async () => {
    const known = await nodes();
    expect(known).toHaveLength(4);
    for (const { host } of known)
      expect(host).toMatch(
        /^pg-kube-citus-worker-(\d)-\d\.pg-kube-citus-worker-\1\.pg-kube-citus\.svc\.cluster\.local$/,
      );
  });

  describe("operators' commands", () => {
    const nowhere = join(stack.folder, "nowhere.kubeconfig");
    beforeAll(() => writeFileSync(nowhere, NOWHERE));
    claimCommands(() => ({
      ...{ stack, operator: new Operator(stack) },
      databases: ["coordinator", "worker-1", "worker-2"],
      parts: [/^claims$/, /^Citus nodes$/, /^write pg-kube-citus-haproxy-0$/],
      unreachable: { KUBECONFIG: nowhere },
    }));
  });

  test("the pod of a worker group's leader is deleted: it hands over first, and no transaction fails (D2)", async () => {
    const leader = await leaderOf(1);
    const loads = await underLoad(inFailover("A worker's switchover"), async () => {
      await deletePod(leader);
      await settled([1, 2]);
    });
    expect(failures(loads)).toEqual([]);
  });

  test("a group is added under load: its share of the shards moves there, and nothing fails (D3)", async () => {
    const started = Date.now();
    const loads = await underLoad(
      inFailover("Two worker groups are added, `up` killed while shards move"),
      async () => {
        stack.configure(workers(3));
        await stack.up();
      },
    );
    note(`2 to 3 groups: ${((Date.now() - started) / 1000).toFixed(0)} s`);
    expect(failures(loads)).toEqual([]);
    await settled([1, 2, 3]);
    const counts = Object.values(await shards());
    expect(counts).toHaveLength(3);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4);
  });

  test("a group leaves under load: nothing fails, its pods go, and its volumes stay (D4)", async () => {
    const started = Date.now();
    const loads = await underLoad(
      inFailover("Two worker groups leave, `up` killed at seven steps on the way"),
      async () => {
        stack.configure(workers(2));
        await stack.up();
      },
    );
    note(`3 to 2 groups: ${((Date.now() - started) / 1000).toFixed(0)} s`);
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
    expect(Object.keys(await shards())).toEqual(["1", "2"]);
    expect(await stack.podsOf("worker-3")).toEqual([]);
    const volumes = await stack.kubectl("get", "persistentvolumeclaims", "--output", "name");
    expect(volumes).toContain("persistentvolumeclaim/data-pg-kube-citus-worker-3-0");
    await stack.preview("--expect-no-changes");
    // Of a secondary Citus never says that its metadata are in step: it replicates them.
    const odd = "SELECT 1 FROM pg_dist_node WHERE noderole = 'primary' AND NOT (isactive AND metadatasynced)";
    expect(await sql(odd)).toEqual([]);
  });
});
