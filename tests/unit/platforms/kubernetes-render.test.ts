import { execFileSync } from "node:child_process";
import { stringify } from "yaml";
import { execCommand } from "../../../components/platforms/kubernetes/pod";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { expectGolden } from "../../support/golden";
import { KUBERNETES } from "./contexts";
import { DATABASE, ENTRY } from "./workloads";

const render = (spec: WorkloadSpec = DATABASE) => renderKubernetes(spec, KUBERNETES) as never as Plain;
const podOf = (spec?: WorkloadSpec) => render(spec).statefulSet.spec.template.spec;
const containerOf = (spec?: WorkloadSpec) => podOf(spec).containers[0]!;

/** The parts that tests look at; the renderer's own types allow outputs everywhere. */
interface Plain {
  statefulSet: {
    metadata: Record<string, Record<string, string>>;
    spec: Record<string, never> & { template: { spec: Pod } };
  };
  services: {
    metadata: { name: string; annotations?: Record<string, string> };
    spec: Record<string, unknown> & { ports: { name: string }[] };
  }[];
  configMaps: { manifest: { metadata: { name: string }; immutable?: boolean } }[];
}
interface Pod extends Record<string, unknown> {
  containers: (Record<string, unknown> & { env: { name: string }[] })[];
  volumes: { name: string; secret?: { defaultMode: number } }[];
}

const yaml = (manifests: readonly object[]): string =>
  manifests
    .map((manifest) => `---\n${stringify(manifest, { aliasDuplicateObjects: false, version: "1.1" })}`)
    .join("");

test.each([DATABASE, ENTRY])("$name reads as its golden", (spec) => {
  const { statefulSet, services, configMaps, podDisruptionBudget, networkPolicies } = renderKubernetes(
    spec,
    KUBERNETES,
  );
  const manifests = [
    ...services,
    ...configMaps.map((c) => c.manifest),
    ...networkPolicies,
    podDisruptionBudget,
    statefulSet,
  ];
  expectGolden(`platform/kubernetes/${spec.name}.yaml`, yaml(manifests));
});

describe('a pod is what the Pod Security level "restricted" allows', () => {
  test("no root, no privileges, the runtime's own seccomp profile", () => {
    expect(podOf().securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(containerOf().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
  });
  test("no token for the API server", () => {
    expect(podOf().automountServiceAccountToken).toBe(false);
  });
  test("secrets are readable by the programs' group and nobody else", () => {
    expect(podOf().securityContext).toMatchObject({ fsGroup: 10001 });
    expect(
      podOf()
        .volumes.filter((v) => v.secret)
        .map((v) => v.secret!.defaultMode),
    ).toEqual([0o440, 0o440]);
  });
});

describe("variables", () => {
  test("stand before everything that uses them, since Kubernetes expands only what it has already seen", () => {
    expect(
      containerOf()
        .env.map((e) => e.name)
        .slice(0, 3),
    ).toEqual(["REPLICA_NAME", "REPLICA_ADDRESS", "REPLICA_ORDINAL"]);
  });
  test("in probes and hooks go through a shell, since Kubernetes does not expand them there", () => {
    expect(execCommand(["ready"], "x")).toEqual(["ready"]);
    expect(execCommand(["5 $$"], "x")).toEqual(["5 $"]);
    const command = execCommand(["printf", "%s;", "it's $$HOME", "--from=$(REPLICA_NAME) *"], "x");
    const printed = execFileSync(command[0]!, command.slice(1), {
      encoding: "utf8",
      env: { ...process.env, REPLICA_NAME: "a b" },
    });
    expect(printed).toBe("it's $HOME;--from=a b *;");
  });
});

describe("a change", () => {
  const file = (text: string, onChange: "replace" | "reload"): WorkloadSpec => ({
    ...DATABASE,
    configuration: { "/etc/x": { files: { f: text }, onChange } },
  });
  test("of a file that replaces is another, immutable ConfigMap", () => {
    const [a, b] = [render(file("a", "replace")), render(file("b", "replace"))];
    expect(a.configMaps[0]!.manifest.immutable).toBe(true);
    expect(a.configMaps[0]!.manifest.metadata.name).not.toBe(b.configMaps[0]!.manifest.metadata.name);
    expect(a.statefulSet).not.toEqual(b.statefulSet);
  });
  test("of a file that reloads leaves the pods alone", () => {
    expect(render(file("a", "reload")).statefulSet).toEqual(render(file("b", "reload")).statefulSet);
  });
  test("hands over before a member stops, and has the time for it", () => {
    expect(containerOf().lifecycle).toEqual({
      preStop: { exec: { command: ["handover", "--patience=9"] } },
    });
    expect(podOf().terminationGracePeriodSeconds).toBe(70);
  });
  test("replaces no pod by itself: Rollout does, the leader last", () => {
    expect(render().statefulSet.spec["updateStrategy"]).toEqual({ type: "OnDelete" });
  });
});

describe("services", () => {
  test("the headless one names members that start, and is not awaited: it has no endpoints before they exist", () => {
    expect(render().services[0]).toMatchObject({
      metadata: { name: "pg-dev-database", annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { clusterIP: "None", publishNotReadyAddresses: true },
    });
  });
  test("the one for clients has the exposed ports only", () => {
    const exposed = render(ENTRY).services.find((s) => s.metadata.name === "pg-dev-entry-exposed")!;
    expect(exposed.spec.ports.map((p) => p.name)).toEqual(["read", "write"]);
  });
});

test("data outlives the StatefulSet, and a member that leaves", () => {
  const { spec } = render(DATABASE).statefulSet as { readonly spec: Readonly<Record<string, unknown>> };
  expect(spec["persistentVolumeClaimRetentionPolicy"]).toEqual({
    whenDeleted: "Retain",
    whenScaled: "Retain",
  });
});
