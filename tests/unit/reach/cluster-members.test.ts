import { describeContainer, dockerMembers } from "../../../components/reach/docker/cluster-members";
import type { Pod } from "../../../components/reach/kubernetes/client";
import {
  describeMember,
  kubernetesMembers,
  membersOf,
  revivalOf,
  stateOf,
} from "../../../components/reach/kubernetes/cluster-members";
import { lineStream } from "../../../components/reach/lines";
import { KubernetesApi } from "../../support/kubernetes-api";

const NOW = new Date("2026-01-01T12:00:00Z");
const PLACE = { cluster: "pg", namespace: "db", clusterDomain: "example.org" };

describe("members of a cluster look the same on both platforms (S6)", () => {
  const facts = {
    name: "pg-etcd-0",
    workload: "etcd",
    state: "running",
    status: "Up",
    startedAt: NOW.toISOString(),
    restarts: 1,
  };
  test.each([
    [{ health: "healthy" }, "ready"],
    [{ health: "starting" }, "starting"],
    [{ health: "unhealthy" }, "unready"],
    [{}, "ready"],
    [{ state: "paused", health: "healthy" }, "unready"],
  ])("a container %j is %s", (more, readiness) => {
    const member = describeContainer({ ...facts, ...more }, "machine");
    expect(member).toMatchObject({ readiness, address: "pg-etcd-0", restarts: 1 });
    expect(member.node).toBe(member.state === "running" ? "machine" : "");
  });

  const pod = (container: object | undefined, ready: boolean, more: Partial<Pod["metadata"]> = {}): Pod => ({
    metadata: { name: "pg-etcd-0", labels: { "app.kubernetes.io/name": "etcd" }, ...more },
    spec: { nodeName: "node-1" },
    status: {
      phase: container === undefined ? "Pending" : "Running",
      conditions: [
        { type: "Ready", status: ready ? "True" : "False" },
        ...(container === undefined
          ? [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }]
          : []),
      ],
      ...(container !== undefined && { containerStatuses: [{ restartCount: 2, state: container }] }),
    },
  });
  const running = (seconds: number) => ({ running: { startedAt: new Date(NOW.getTime() - seconds * 1000) } });

  test("a pod that runs: ready, not yet, and not", () => {
    expect(describeMember(pod(running(600), true), "a", NOW)).toEqual({
      ...{
        name: "pg-etcd-0",
        workload: "etcd",
        state: "running",
        readiness: "ready",
        address: "a",
        restarts: 2,
      },
      ...{
        node: "node-1",
        startedAt: "2026-01-01T11:50:00.000Z",
        status: "Running, restarted 2 times, ready",
      },
    });
    expect(describeMember(pod(running(3), false), "a", NOW).readiness).toBe("starting");
    expect(describeMember(pod(running(60), false), "a", NOW).readiness).toBe("unready");
  });

  test("the state of a pod that does not run, and its remedy", () => {
    const crashed = pod({ waiting: { reason: "CrashLoopBackOff" } }, false);
    const unpulled = pod({ waiting: { reason: "ImagePullBackOff", message: "not found" } }, false);
    const ending = pod(running(600), true, { deletionTimestamp: NOW });
    expect([pod(undefined, false), crashed, ending].map(stateOf)).toEqual([
      "pending",
      "restarting",
      "terminating",
    ]);
    const revival = (each: Pod): string => revivalOf(describeMember(each, "a", NOW));
    expect(revival(pod(undefined, false))).toMatch(/^no node can run it: /);
    expect(revival(crashed)).toMatch(/see its log$/);
    expect(revival(unpulled)).toMatch(/^its image cannot be pulled: correct images\.registry/);
    expect(revival(ending)).toMatch(/^it is terminating/);
    expect(revivalOf({ state: "missing", status: "" })).toMatch(/^its StatefulSet recreates it/);
    expect(revivalOf({ state: "restarting", status: "exited with 137 (OOMKilled)" })).toMatch(
      /^it ran out of memory/,
    );
  });

  test("pods that are missing from a StatefulSet are members, too; addresses are the names by which members know each other", () => {
    const set = {
      metadata: { name: "pg-etcd", labels: { "app.kubernetes.io/name": "etcd" } },
      spec: { replicas: 2 },
    };
    const members = membersOf([pod(running(60), true)], [set], PLACE, NOW);
    expect(members.map(({ name, state, address }) => [name, state, address])).toEqual([
      ["pg-etcd-0", "running", "pg-etcd-0.pg-etcd.db.svc.example.org"],
      ["pg-etcd-1", "missing", "pg-etcd-1.pg-etcd.db.svc.example.org"],
    ]);
  });

  test("no password is passed to a command that the API server may log", () => {
    expect(() => kubernetesMembers(PLACE).attach("pg-patroni-0", ["psql"], { PGPASSWORD: "x" })).toThrow(
      "environment variables cannot be passed to a pod's command",
    );
  });

  test("each platform has its own command to restart a member that hangs", () => {
    expect(dockerMembers("pg", "'make up'").restarting("a")).toBe("docker restart a");
    expect(kubernetesMembers(PLACE).restarting("a")).toBe("kubectl delete pod a --namespace db");
    expect(dockerMembers("pg", "'make up'").reach("a", 1)).toEqual({
      via: "docker",
      container: "a",
      port: 1,
    });
    expect(kubernetesMembers(PLACE).reach("a", 1)).toEqual({
      via: "kubernetes",
      namespace: "db",
      pod: "a",
      port: 1,
    });
  });
});

describe("the seam on Kubernetes", () => {
  const kubernetes = new KubernetesApi();
  const asked: string[] = [];
  beforeAll(() => {
    kubernetes.server.on("request", (request, response) => {
      const url = request.url ?? "";
      asked.push(decodeURIComponent(url));
      const json = (body: object): void =>
        void response.setHeader("content-type", "application/json").end(JSON.stringify(body));
      if (url.includes("/pg-etcd-9/log")) response.writeHead(404).end();
      else if (url.includes("/log")) response.setHeader("content-type", "text/plain").end("one\ntwo ä\nlast");
      else if (url.includes("/statefulsets")) json({ items: [] });
      else
        json({
          items: ["pg-etcd-0", "pg-roles-job-x7k2p"].map((name) => ({
            metadata: { name },
            status: { phase: "Pending" },
          })),
        });
    });
    return kubernetes.start();
  });
  afterAll(() => kubernetes.stop());

  test("lists the cluster's own pods, and none of a job", async () => {
    const listed = await kubernetesMembers(PLACE).list();
    expect(listed.map(({ name }) => name)).toEqual(["pg-etcd-0"]);
    expect(asked).toContain("/api/v1/namespaces/db/pods?labelSelector=app.kubernetes.io/instance=pg");
  });

  test("hands over a log by lines, and says whose cannot be read", async () => {
    const lines: string[] = [];
    const read = (pod: string): Promise<void> =>
      kubernetesMembers(PLACE).logs(pod, { follow: false, tail: 3 }, (line) => lines.push(line));
    await read("pg-etcd-0");
    expect(lines).toEqual(["one", "two ä", "last"]);
    expect(asked.at(-1)).toMatch(/^\/api\/v1\/namespaces\/db\/pods\/pg-etcd-0\/log\?.*tailLines=3/);
    await expect(read("pg-etcd-9")).rejects.toThrow("the log of pg-etcd-9 cannot be read");
  });
});

test("lines are whole, wherever their pieces were cut", async () => {
  const lines: string[] = [];
  const stream = lineStream((line) => lines.push(line));
  const umlaut = Buffer.from("ä");
  for (const piece of ["a", "b\nc\r\n\n", umlaut.subarray(0, 1), umlaut.subarray(1), "!"])
    stream.write(piece);
  await new Promise<void>((resolve) => stream.end(resolve));
  expect(lines).toEqual(["ab", "c", "", "ä!"]);
});
