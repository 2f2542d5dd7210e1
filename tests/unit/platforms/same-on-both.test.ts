import { renderDocker } from "../../../components/platforms/docker/render";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { DOCKER, KUBERNETES } from "./contexts";
import { intervals, onDocker, onKubernetes } from "./facts";
import { DATABASE, ENTRY } from "./workloads";

test.each([DATABASE, ENTRY])("both platforms say the same of $name", (spec) => {
  const docker = onDocker(spec);
  expect(docker).toEqual(onKubernetes(spec));
  expect(docker.mounts).toEqual(
    [
      ...Object.keys({ ...spec.configuration, ...spec.secrets }),
      ...(spec.scratch ?? []),
      ...(spec.data ? [spec.data.path] : []),
      ...(spec.resources?.sharedMemoryMiB ? ["/dev/shm"] : []),
    ].sort(),
  );
});

test("a check costs more on Docker, where nothing is sent to a member or kept from it for what it says: it is made less often", () => {
  expect(intervals(DATABASE)).toEqual({ docker: "15s", kubernetesSeconds: 3 });
  expect(intervals(ENTRY)).toEqual({ docker: "1m0s", kubernetesSeconds: 60 });
});

/** Every field of a workload with another value. The image comes with the context; `replacedLast` is for `Rollout`. */
const OTHERS: Readonly<Record<string, WorkloadSpec>> = {
  replicas: { ...DATABASE, replicas: 3 },
  command: { ...DATABASE, command: ["other"] },
  env: { ...DATABASE, env: { OTHER: "1" } },
  "configuration.files": {
    ...DATABASE,
    configuration: { "/etc/patroni": { files: { "cluster.yml": "other" }, onChange: "replace" } },
  },
  "configuration.onChange": {
    ...DATABASE,
    configuration: { ...DATABASE.configuration, "/etc/patroni": { files: {}, onChange: "reload" } },
  },
  secrets: { ...DATABASE, secrets: { "/secrets/tls": { name: "other" } } },
  "data.path": { ...DATABASE, data: { path: "/other", size: "10Gi" } },
  "data.size": { ...DATABASE, data: { path: "/var/lib/postgresql", size: "20Gi" } },
  scratch: { ...DATABASE, scratch: ["/tmp"] },
  "ports.port": { ...ENTRY, ports: { ...ENTRY.ports, write: { port: 7000, from: "anybody" } } },
  "ports.from": { ...DATABASE, ports: { ...DATABASE.ports, rest: { port: 8008, from: ["haproxy"] } } },
  egress: { ...DATABASE, egress: [{ network: "203.0.113.0/24", ports: [443] }] },
  "readiness.command": { ...DATABASE, readiness: { ...DATABASE.readiness, command: ["other"] } },
  "readiness.timeoutSeconds": { ...DATABASE, readiness: { ...DATABASE.readiness, timeoutSeconds: 6 } },
  "readiness.intervalSeconds": { ...DATABASE, readiness: { ...DATABASE.readiness, intervalSeconds: 30 } },
  "readiness.failureThreshold": { ...DATABASE, readiness: { ...DATABASE.readiness, failureThreshold: 9 } },
  "readiness.startPeriodSeconds": { ...ENTRY, readiness: { ...ENTRY.readiness, startPeriodSeconds: 9 } },
  "liveness.command": { ...DATABASE, liveness: { ...DATABASE.liveness!, command: ["other"] } },
  "liveness.timeoutSeconds": { ...DATABASE, liveness: { ...DATABASE.liveness!, timeoutSeconds: 6 } },
  "liveness.intervalSeconds": { ...DATABASE, liveness: { ...DATABASE.liveness!, intervalSeconds: 30 } },
  "liveness.failureThreshold": { ...DATABASE, liveness: { ...DATABASE.liveness!, failureThreshold: 9 } },
  "liveness.startPeriodSeconds": { ...DATABASE, liveness: { ...DATABASE.liveness!, startPeriodSeconds: 9 } },
  "resources.memoryMiB": { ...DATABASE, resources: { ...DATABASE.resources, memoryMiB: 1024 } },
  "resources.cpuMillis": { ...DATABASE, resources: { ...DATABASE.resources, cpuMillis: 300 } },
  "resources.cpuLimitMillis": { ...DATABASE, resources: { ...DATABASE.resources, cpuLimitMillis: 900 } },
  "resources.sharedMemoryMiB": { ...DATABASE, resources: { ...DATABASE.resources, sharedMemoryMiB: 64 } },
  stopGraceSeconds: { ...DATABASE, stopGraceSeconds: 90 },
  beforeStop: { ...DATABASE, beforeStop: { command: ["other"], timeoutSeconds: 30 } },
  "exposed.hostPorts": { ...ENTRY, exposed: { hostPorts: { write: 16432, read: 15433 }, replicaStep: 10 } },
  "exposed.replicaStep": { ...ENTRY, exposed: { ...ENTRY.exposed!, replicaStep: 20 } },
};

test("what a platform does not do with a workload is this, and no more (docs/architecture.md)", () => {
  const render = {
    docker: (spec: WorkloadSpec) => JSON.stringify(renderDocker(spec, DOCKER)),
    kubernetes: (spec: WorkloadSpec) => JSON.stringify(renderKubernetes(spec, KUBERNETES)),
  };
  const leftAlone = (platform: keyof typeof render): string[] =>
    Object.keys(OTHERS).filter((field) => {
      const other = OTHERS[field]!;
      return render[platform](other) === render[platform](other.name === ENTRY.name ? ENTRY : DATABASE);
    });
  expect(leftAlone("docker")).toEqual(["data.size", "ports.from", "egress", "beforeStop"]);
  expect(leftAlone("kubernetes")).toEqual([
    "readiness.startPeriodSeconds",
    "exposed.hostPorts",
    "exposed.replicaStep",
  ]);
});
