import { etcdctl } from "../../commands/inside";
import { onKubernetes, type Promised } from "../support/promises";
import { eventually } from "../support/stack";
import { query, type WriterReport } from "../support/writer";
import { kubectl } from "./kubectl";
import { KubernetesStack, POD_NETWORK, SMALL, withKubernetes } from "./cluster";
import { WriteGaps } from "./write-gaps";

const MEMBERS = SMALL.patroni.members;
const PARAMETERS = { shared_buffers: "192MB", max_connections: 100 };
const stack = new KubernetesStack("kube", {
  ...SMALL,
  patroni: { ...SMALL.patroni, parameters: PARAMETERS },
});
const { inPod, deletePod } = stack;

/** Below `proxy.drainSeconds`, as applications are asked to have it. */
const MAXIMUM_LIFETIME_MS = 3000;

const gaps = new WriteGaps(stack, MEMBERS);
const during = (promised: Promised, change: (leader: string) => Promise<unknown>): Promise<WriterReport> =>
  gaps.during(promised, change, { maxLifetimeMs: MAXIMUM_LIFETIME_MS });

/** The members that etcd itself counts. */
async function etcdMembers(): Promise<readonly unknown[]> {
  const list = await inPod(stack.member("etcd", 0), ...etcdctl("member list --write-out=json"));
  return (JSON.parse(list) as { members: unknown[] }).members;
}

if (withKubernetes && !stack.canRunInside)
  console.log("skipped: up in a pod needs the CLI of tools/pulumi and the cluster that make kube-up starts");

(withKubernetes ? describe : describe.skip)("the prod stack on Kubernetes (C4)", () => {
  beforeAll(async () => {
    await stack.start();
    await stack.prepareWrites();
  });
  afterAll(async () => {
    gaps.report();
    if (!process.env["KEEP_STACK"]) await stack.remove();
  });

  test("takes writes through its entry, and a second preview plans nothing", async () => {
    const rows = await query<{ leads: boolean }>(
      await stack.target("app_readwrite"),
      "SELECT NOT pg_is_in_recovery() AS leads",
    );
    expect(rows).toEqual([{ leads: true }]);
    await stack.preview("--expect-no-changes");
  });

  test("every pod is what the Pod Security level restricted admits", async () => {
    const labels = await kubectl([
      ...["get", "namespace", stack.namespace],
      ...["--output", "jsonpath={.metadata.labels}"],
    ]);
    expect(JSON.parse(labels)).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    const checked = await kubectl([
      ...["label", "--dry-run=server", "--overwrite", "namespace", stack.namespace],
      "pod-security.kubernetes.io/enforce=restricted",
    ]);
    expect(checked).not.toMatch(/violate/);
  });

  describe("no acknowledged write is lost (H1, H5)", () => {
    test("the leader's pod is deleted: it hands over first, and no transaction fails", async () => {
      const report = await during(onKubernetes("The leader's pod is deleted, or evicted"), (leader) =>
        deletePod(leader),
      );
      expect(report.errors).toEqual([]);
    });

    test("the leader's pod is killed without grace", () =>
      during(onKubernetes("The leader's pod is killed without grace"), (leader) =>
        deletePod(leader, "--grace-period=0", "--force"),
      ));

    test("a replica's pod is deleted", async () => {
      const report = await during(onKubernetes("A replica's pod is deleted"), async (leader) =>
        deletePod((await stack.podsOf("patroni")).find(({ name }) => name !== leader)?.name ?? ""),
      );
      expect(report.errors).toEqual([]);
    });

    test("a PgBouncer's pod and a HAProxy's pod are deleted: their sessions leave first", async () => {
      const proxies = async () => [...(await stack.podsOf("pool-write")), ...(await stack.podsOf("haproxy"))];
      const before = await proxies();
      const gone = [stack.member("pool-write", 0), stack.member("haproxy", 0)];
      const report = await during(onKubernetes("A pool's and an entry's pod are deleted"), async () => {
        for (const pod of gone) await deletePod(pod);
        await eventually("both have been replaced", 120_000, async () => {
          const kept = (await proxies()).filter(({ uid }) => before.some((pod) => pod.uid === uid));
          expect(kept.map(({ name }) => name).filter((name) => gone.includes(name))).toEqual([]);
          expect(await stack.readyPods()).toMatchObject({ haproxy: 2, "pool-write": 2 });
        });
      });
      expect(report.errors).toEqual([]);
    });
  });

  test("a node that is drained, with no other one to go to, takes one member of each group and then waits", async () => {
    const [node = ""] = (
      await kubectl(["get", "nodes", "--output", "jsonpath={.items[*].metadata.name}"])
    ).split(" ");
    const report = await during(onKubernetes("A node is drained, there is no other one"), async (leader) => {
      // The leader's first, so that it is the one member of its group.
      await kubectl(["cordon", node]);
      try {
        await deletePod(leader);
        await expect(
          kubectl([
            ...["drain", node, "--delete-emptydir-data", "--timeout=30s"],
            ...["--pod-selector", `app.kubernetes.io/instance=${stack.cluster}`],
          ]),
        ).rejects.toThrow(
          /Cannot evict pod as it would violate the pod's disruption budget|timed out|timeout/,
        );
        // A replica is not ready for a moment while it changes to another leader. Nobody comes back to this node meanwhile.
        await eventually("one of each group is gone, and no other", 60_000, async () => {
          const ready = await stack.readyPods();
          expect(ready).toEqual({
            etcd: 2,
            haproxy: 1,
            patroni: MEMBERS - 1,
            "pool-read": 1,
            "pool-write": 1,
          });
        });
      } finally {
        await kubectl(["uncordon", node]);
      }
    });
    expect(report.errors).toEqual([]);
  });

  describe("a change rolls through the members (D5)", () => {
    test("of a parameter that needs a restart: PostgreSQL restarts in its pods", async () => {
      await stack.whole(MEMBERS);
      const before = await stack.podsOf("patroni");
      const report = await during(onKubernetes("A parameter that needs a restart"), async () => {
        stack.configure({ patroni: { parameters: { ...PARAMETERS, max_connections: 110 } } });
        await stack.up();
      });
      expect(report.errors).toEqual([]);
      expect((await stack.podsOf("patroni")).map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid));
      expect(await inPod(stack.member("patroni", 0), "psql", "-XAtc", "SHOW max_connections")).toBe("110");
    });

    test("of the pods: one at a time, the leader last, and no transaction fails", async () => {
      const leader = await stack.whole(MEMBERS);
      const before = await stack.podsOf("patroni");
      const report = await during(onKubernetes("Image, memory: every database pod replaced"), async () => {
        stack.configure({ patroni: { memory: "800Mi" } });
        await stack.up();
      });
      const after = await stack.podsOf("patroni");
      expect(after).toHaveLength(MEMBERS);
      expect(after.filter(({ uid }) => before.some((pod) => pod.uid === uid))).toEqual([]);
      expect([...after].sort((a, b) => a.started.localeCompare(b.started)).at(-1)?.name).toBe(leader);
      expect(report.errors).toEqual([]);
    });
  });

  test("a roll that does not become healthy stops at its first pod and says why; going back mends it (D5)", async () => {
    const others = async () =>
      (await stack.podsOf("pool-write")).filter(({ name }) => name !== stack.member("pool-write", 0));
    const before = await others();
    const report = await during(onKubernetes("An image that is not there"), async () => {
      stack.configure({ images: { tags: { ...stack.tags, pgbouncer: "not-there" } } });
      await expect(stack.up()).rejects.toThrow(/pg-kube-pool-write-0: .*(ErrImagePull|ImagePullBackOff)/);
      expect(await others()).toEqual(before);
      stack.configure();
      await stack.up();
    });
    expect(report.errors).toEqual([]);
    expect(await stack.readyPods()).toMatchObject({ "pool-read": 2, "pool-write": 2 });
    await stack.preview("--expect-no-changes");
  });

  describe("the number of members changes under load (D5)", () => {
    test("of the database: three, two, three", async () => {
      const report = await during(onKubernetes("The database has three, two, three members"), async () => {
        stack.configure({ patroni: { members: 2 } });
        await stack.up();
        await stack.whole(MEMBERS - 1);
        stack.configure();
        await stack.up();
      });
      expect(report.errors).toEqual([]);
    });

    test("of etcd: three, five, three, and who left is counted no longer", async () => {
      const report = await during(onKubernetes("etcd has three, five, three members"), async () => {
        stack.configure({ etcd: { members: 5 } });
        await stack.up();
        expect(await etcdMembers()).toHaveLength(5);
        stack.configure();
        await stack.up();
        expect(await etcdMembers()).toHaveLength(3);
      });
      expect(report.errors).toEqual([]);
    });
  });

  (stack.canRunInside ? test : test.skip)(
    "up in a pod of the cluster needs no kubeconfig, and with directFrom no port-forward",
    async () => {
      stack.configure({
        patroni: { extensions: ["pg_trgm"] },
        kubernetes: { directFrom: [POD_NETWORK] },
      });
      await stack.upInside();
      const installed = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'";
      expect(await inPod(await stack.whole(MEMBERS), "psql", "-XAtd", "app", "-c", installed)).toBe("1");
    },
  );

  test("a volume that cannot be expanded or shrunk is rejected with the way out, and no pod is changed (D5)", async () => {
    stack.configure();
    await stack.up();
    await stack.whole(MEMBERS);
    const before = await stack.podsOf("patroni");
    // The storage class of the one-node cluster makes folders, which have no size. One that grows is for tests/unit/platform/volume-claims.
    stack.configure({ patroni: { volumeSize: "2Gi" } });
    await expect(stack.up()).rejects.toThrow(
      /cannot be expanded from 1Gi to 2Gi: .* restore the old volumeSize/,
    );
    stack.configure({ patroni: { volumeSize: "512Mi" } });
    await expect(stack.preview()).rejects.toThrow(/have 1Gi and cannot shrink to 512Mi/);
    stack.configure();
    await stack.up();
    expect((await stack.podsOf("patroni")).map(({ uid }) => uid)).toEqual(before.map(({ uid }) => uid));
  });

  test("a StatefulSet that is deleted leaves its volumes, and up brings the members back with their data", async () => {
    await stack.whole(MEMBERS);
    const [before] = await query<{ n: string }>(
      await stack.target("app_readwrite"),
      "SELECT count(*) AS n FROM writes",
    );
    // With its pods: one that still ends when another StatefulSet wants its name keeps the controller from making it, for minutes.
    await stack.kubectl("delete", "statefulset", `${stack.cluster}-patroni`, "--cascade=foreground");
    await stack.up("--refresh");
    await stack.whole(MEMBERS);
    const [after] = await query<{ n: string }>(
      await stack.target("app_readwrite"),
      "SELECT count(*) AS n FROM writes",
    );
    expect(after).toEqual(before);
  });

  test("no generated secret is in a ConfigMap, an environment variable, an annotation or a log (D9)", async () => {
    const { passwords } = await stack.outputs();
    const described = await stack.kubectl(
      ...["get", "configmaps,pods,statefulsets,services"],
      "--output=json",
    );
    const logs = await Promise.all(
      ["patroni", "haproxy", "pool-write", "pool-read", "etcd"].map((workload) =>
        stack.kubectl(
          ...["logs", "--prefix", "--tail=-1", "--max-log-requests=10"],
          ...["--selector", `app.kubernetes.io/name=${workload}`],
        ),
      ),
    );
    for (const password of Object.values(passwords)) {
      expect(password.length).toBeGreaterThan(15);
      for (const text of [described, ...logs]) expect(text.includes(password)).toBe(false);
    }
    expect(await inPod(stack.member("patroni", 0), "env")).not.toMatch(/PASSWORD/i);
  });
});
