import type {
  Event,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
} from "../../../components/reach/kubernetes/client";
import { judgeBudgets } from "../../../components/reach/kubernetes/health/budgets";
import { judgeCertificates } from "../../../components/reach/kubernetes/health/certificates";
import { judgeClaims } from "../../../components/reach/kubernetes/health/claims";
import { judgeEvents } from "../../../components/reach/kubernetes/health/events";
import { platformHealth } from "../../../components/reach/kubernetes/health/health";
import { judgePolicies } from "../../../components/reach/kubernetes/health/policies";
import { clientEnvironment, KubernetesApi } from "../../support/kubernetes-api";

const set = {
  metadata: { name: "pg-etcd", labels: { "app.kubernetes.io/name": "etcd" } },
  spec: { replicas: 2, volumeClaimTemplates: [{ metadata: { name: "data" } }] },
};
const text = (findings: readonly { readonly ok: boolean; readonly seen: string }[]): readonly string[] =>
  findings.map(({ ok, seen }) => `${ok ? "ok" : "WRONG"} ${seen}`);

describe("doctor checks what only Kubernetes has (S6)", () => {
  const budget = (status: PodDisruptionBudget["status"]): PodDisruptionBudget => ({
    ...{ metadata: { name: "pg-etcd" }, status },
  });

  test.each([
    [
      { expectedPods: 3, currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1 },
      "ok 1, each of which currently allows a disruption",
    ],
    [
      { expectedPods: 3, currentHealthy: 2, desiredHealthy: 2, disruptionsAllowed: 0 },
      "WRONG pg-etcd allows no disruption: 2 of 3 members are healthy, 2 must be",
    ],
    [
      { expectedPods: 3, currentHealthy: 3, desiredHealthy: 3, disruptionsAllowed: 0 },
      "WRONG pg-etcd never allows a disruption (3 of 3 must be healthy): draining a node waits forever",
    ],
    [
      { expectedPods: 0, currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0 },
      "WRONG pg-etcd matches no pods, so it protects none",
    ],
  ])("a disruption budget %j", (status, seen) => {
    expect(text(judgeBudgets([budget(status)], ["pg-etcd"]))).toEqual([seen]);
  });

  test("a workload without a budget", () => {
    expect(text(judgeBudgets([], ["pg-etcd"]))).toEqual([
      "WRONG pg-etcd has none: draining a node could evict all of its members at once",
    ]);
  });

  const claim = (
    name: string,
    phase: string,
    conditions: { type: string; status: string; message?: string }[] = [],
  ): PersistentVolumeClaim => ({
    metadata: { name },
    spec: { resources: { requests: { storage: "2Gi" } } },
    status: { phase, capacity: { storage: "1Gi" }, conditions },
  });

  test("claims: bound, without a volume, lost, being expanded, missing, and those of removed members", () => {
    const [first, second, third] = ["data-pg-etcd-0", "data-pg-etcd-1", "data-pg-etcd-2"] as const;
    const judged = (...claims: PersistentVolumeClaim[]) => text(judgeClaims(claims, [set]));
    expect(judged(claim(first, "Bound"), claim(second, "Bound"))).toEqual(["ok 2 bound to their volumes"]);
    expect(judged(claim(first, "Bound"), claim(second, "Bound"), claim(third, "Bound"))).toEqual([
      "ok 2 bound to their volumes; claims of removed members, yours to delete: data-pg-etcd-2",
    ]);
    expect(judged(claim(first, "Pending"), claim(second, "Lost"))).toEqual([
      "WRONG data-pg-etcd-0 is Pending: it has no volume yet",
      "WRONG data-pg-etcd-1 has lost its volume",
    ]);
    const growing = claim(first, "Bound", [
      { type: "FileSystemResizePending", status: "True", message: "waiting" },
    ]);
    expect(judged(growing)).toEqual([
      "WRONG data-pg-etcd-0 has 1Gi of 2Gi: its file system is expanded when the pod restarts (waiting)",
      "WRONG data-pg-etcd-1 does not exist",
    ]);
  });

  test("network policies: one for every workload, and the default deny policy", () => {
    const own = {
      spec: { podSelector: { matchLabels: { "app.kubernetes.io/name": "etcd" } }, policyTypes: ["Ingress"] },
    };
    const deny = { spec: { podSelector: { matchLabels: {} }, policyTypes: ["Ingress", "Egress"] } };
    const out = { spec: { podSelector: { matchLabels: {} }, policyTypes: ["Egress"] } };
    expect(text(judgePolicies([own, deny], ["etcd"]))[0]).toMatch(
      /^ok 2, for every workload \(whether .* cannot be checked here\)$/,
    );
    expect(text(judgePolicies([own, out], ["etcd", "patroni"]))).toEqual([
      "WRONG missing: the default deny policy, patroni",
    ]);
  });

  test("events: the last of each reason, for pods that are not ready and for their StatefulSets, and no outdated ones", () => {
    const now = new Date("2026-01-01T12:00:00Z");
    const pod = (name: string, ready: boolean): Pod => ({
      metadata: { name },
      status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
    });
    const event = (
      name: string,
      reason: string,
      message: string,
      minutes: number,
      more: Partial<Event> = {},
    ): Event => ({
      ...{ type: "Warning", reason, message },
      lastTimestamp: new Date(now.getTime() - minutes * 60_000),
      involvedObject: { kind: "Pod", name },
      ...more,
    });
    const events = [
      event("pg-etcd-1", "FailedScheduling", "0/1 nodes are available", 3, { count: 4 }),
      event("pg-etcd-1", "FailedScheduling", "older", 5),
      event("pg-etcd-1", "FailedMount", "an hour ago", 60),
      event("pg-etcd-1", "Pulled", "no complaint", 1, { type: "Normal" }),
      event("pg-etcd-0", "Unhealthy", "of a pod that is ready", 1),
      event("pg-etcd", "FailedCreate", "exceeded quota", 1, {
        involvedObject: { kind: "StatefulSet", name: "pg-etcd" },
      }),
    ];
    const pods = [pod("pg-etcd-0", true), pod("pg-etcd-1", false)];
    expect(text(judgeEvents(events, pods, [set], [], now))).toEqual([
      "WRONG pg-etcd-1: FailedScheduling: 0/1 nodes are available (4 times)",
    ]);
    const three = { ...set, spec: { ...set.spec, replicas: 3 } };
    expect(text(judgeEvents(events, pods, [three], [], now))).toContain(
      "WRONG pg-etcd: FailedCreate: exceeded quota",
    );
    const remedies = (reason: string, message: string) =>
      judgeEvents([event("pg-etcd-1", reason, message, 1)], pods, [set], [], now)[0]?.remedy;
    expect(remedies("Failed", "Failed to pull image: not found")).toMatch(/^images\.registry/);
    expect(remedies("BackOff", "Back-off pulling image x")).toMatch(/^images\.registry/);
    expect(remedies("FailedPreStopHook", "PreStopHook failed")).toBe("see its log");
    expect(text(judgeEvents([], pods, [set], [], now))).toEqual([
      "ok no recent warnings about pods that are not ready",
    ]);
  });

  test("an issuer's certificates: issued, refused with its message, and not renewed in time", () => {
    const now = new Date("2026-03-01T00:00:00Z");
    const certificate = (status: object) => ({ metadata: { name: "pg-etcd-certificate" }, status });
    const ready = { type: "Ready", status: "True" };
    const times = { notAfter: "2026-04-01T00:00:00Z", renewalTime: "2026-03-11T00:00:00Z" };
    expect(text(judgeCertificates([certificate({ conditions: [ready], ...times })], now))).toEqual([
      "ok issued, expires 2026-04-01; cert-manager renews it 2026-03-11",
    ]);
    const refused = [
      { type: "Ready", status: "False", message: "Issuing certificate as Secret does not exist" },
      { type: "Issuing", status: "False", message: "the issuer refused" },
    ];
    expect(text(judgeCertificates([certificate({ conditions: refused })], now))).toEqual([
      "WRONG not issued: Issuing certificate as Secret does not exist; the issuer refused",
    ]);
    const late = { ...times, renewalTime: "2026-02-20T00:00:00Z" };
    expect(text(judgeCertificates([certificate({ conditions: [ready], ...late })], now))).toEqual([
      "WRONG expires 2026-04-01, should have been renewed 2026-02-20",
    ]);
    expect(judgeCertificates([], now)).toEqual([]);
  });
});

describe("a missing permission is reported and hides nothing else (S6)", () => {
  const kubernetes = new KubernetesApi();
  let version = 200;
  beforeAll(() => {
    kubernetes.server.on("request", (request, response) => {
      const url = request.url ?? "";
      const answer = (status: number, body: object): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      if (url.startsWith("/version")) answer(version, { gitVersion: "v1.34.4" });
      else if (url.includes("/poddisruptionbudgets")) answer(403, { kind: "Status", code: 403 });
      else if (url.includes("/certificates")) answer(404, { kind: "Status", code: 404 });
      else if (url.includes("/statefulsets")) answer(200, { items: [set] });
      else answer(200, { items: [] });
    });
    return kubernetes.start();
  });
  afterAll(() => kubernetes.stop());
  const asked = () => platformHealth({ namespace: "ns", labelSelector: "app.kubernetes.io/instance=pg" });

  test("a missing permission names the role that has it; without cert-manager there are no certificates", async () => {
    const findings = await asked();
    expect(findings[0]).toEqual({ part: "Kubernetes", ok: true, seen: "v1.34.4, context c" });
    expect(findings).toContainEqual({
      ...{ part: "disruption budgets", ok: false, seen: "this account is not allowed to list them" },
      remedy: "grant it the role in docs/kubernetes-operator.yaml",
    });
    expect(findings.map(({ part }) => part)).toEqual(
      expect.arrayContaining(["claims", "network policies", "events"]),
    );
    expect(findings.filter(({ part }) => part.startsWith("certificate"))).toEqual([]);
  });

  test("a kubeconfig that cannot be read is a finding, not a stack trace", async () => {
    const before = clientEnvironment["KUBECONFIG"];
    clientEnvironment["KUBECONFIG"] = "/dev/null";
    const findings = await asked();
    clientEnvironment["KUBECONFIG"] = before;
    expect(findings).toMatchObject([
      { part: "Kubernetes", ok: false, remedy: expect.stringContaining("KUBECONFIG") },
    ]);
  });

  test("an API server that does not answer is the only finding", async () => {
    version = 500;
    const findings = await asked();
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ part: "Kubernetes", ok: false });
  });
});
