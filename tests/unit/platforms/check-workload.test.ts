import { refuseUnrenderable, workloadProblems } from "../../../components/platforms/check-workload";
import { renderDocker } from "../../../components/platforms/docker/render";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { DOCKER, KUBERNETES } from "./contexts";
import { DATABASE, ENTRY } from "./workloads";

const probe = ENTRY.readiness;

test.each([DATABASE, ENTRY])("$name can be rendered", (spec) => {
  expect(workloadProblems(spec)).toEqual([]);
});

test.each<[string, object]>([
  ["entry.gpu: cannot be rendered: no platform knows this field", { gpu: 1 }],
  ["entry.resources.disk: cannot be rendered: no platform knows this field", { resources: { disk: 1 } }],
  [
    "entry.readiness.http: cannot be rendered: no platform knows this field",
    { readiness: { ...probe, http: "/" } },
  ],
  [
    "entry.ports.write.udp: cannot be rendered: no platform knows this field",
    { ports: { ...ENTRY.ports, write: { port: 1, from: "anybody", udp: true } } },
  ],
  ["Entry.name: must be a DNS label", { name: "Entry" }],
  ["entry.replicas: must be a whole number of at least 1", { replicas: 0 }],
  ["entry.env.REPLICA_NAME: is set by the platform", { env: { REPLICA_NAME: "x" } }],
  ["entry.env.a-b: is not a valid name for an environment variable", { env: { "a-b": "x" } }],
  ["entry.command[1]: is empty", { command: ["run", ""] }],
  [
    "entry.readiness.timeoutSeconds: must be a whole number of at least 1",
    { readiness: { ...probe, timeoutSeconds: 0 } },
  ],
  [
    "entry.liveness.intervalSeconds: must be a whole number of at least 1",
    { liveness: { ...probe, intervalSeconds: 0.5 } },
  ],
  [
    "entry.exposed.hostPorts.admin: is not in ports",
    { exposed: { hostPorts: { admin: 1 }, replicaStep: 1 } },
  ],
  ["entry.scratch[0]: must be an absolute path of plain names", { scratch: ["tmp"] }],
  ["entry.scratch[0]: must be an absolute path of plain names", { scratch: ["/tmp/../etc"] }],
  ["entry.scratch[1]: is inside scratch[0], which would hide it", { scratch: ["/run", "/run/x"] }],
  [
    "entry.scratch[1]: has the same letters and digits as scratch[0], so it would get the same name",
    { scratch: ["/run/x", "/run-x"] },
  ],
  [
    "entry.configuration[/etc/x].files[..data]: must be a plain file name that does not begin with a dot",
    { configuration: { "/etc/x": { files: { "..data": "x" }, onChange: "reload" } } },
  ],
])("%s", (message, change) => {
  expect(workloadProblems({ ...ENTRY, ...change })).toEqual([message]);
});

test("all problems are told at once", () => {
  expect(() => refuseUnrenderable({ ...ENTRY, replicas: 0, scratch: ["x"] })).toThrow(
    "Workload entry cannot be rendered:\n  entry.replicas: must be a whole number of at least 1\n  entry.scratch[0]: must be an absolute path of plain names",
  );
});

describe.each([
  ["Docker", (spec: WorkloadSpec) => renderDocker(spec, DOCKER)],
  ["Kubernetes", (spec: WorkloadSpec) => renderKubernetes(spec, KUBERNETES)],
])("%s refuses", (_platform, render) => {
  const unknown = "unknown variable $(REPLICA)";
  test.each<[string, object]>([
    [`entry.env.WHO: ${unknown}`, { env: { WHO: "$(REPLICA)" } }],
    [`entry.command[1]: ${unknown}`, { command: ["run", "$(REPLICA)"] }],
    [`entry.readiness.command[0]: ${unknown}`, { readiness: { ...probe, command: ["$(REPLICA)"] } }],
    [`entry.liveness.command[0]: ${unknown}`, { liveness: { ...probe, command: ["$(REPLICA)"] } }],
    [`entry.handover.command[0]: ${unknown}`, { handover: { command: ["$(REPLICA)"], timeoutSeconds: 1 } }],
    [
      `entry.beforeStop.command[0]: ${unknown}`,
      { beforeStop: { command: ["$(REPLICA)"], timeoutSeconds: 1 } },
    ],
    ["entry.env.WHO: unknown variable $(REPLICA_NAME. Use", { env: { WHO: "$(REPLICA_NAME" } }],
    ["entry.gpu: cannot be rendered", { gpu: 1 }],
  ])("%s", (message, change) => {
    expect(() => render({ ...ENTRY, ...change })).toThrow(message);
  });
});
