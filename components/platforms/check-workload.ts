import { isIP } from "node:net";
import { DNS_LABEL } from "../reach/names";
import { parseText, REPLICA_VARIABLES } from "./variables";
import type { WorkloadSpec } from "./workload";

/** Every field that the renderers know. Add new fields here and render them; otherwise `checkWorkload` rejects the spec. */
const FIELDS = {
  spec: [
    ...[
      "name",
      "image",
      "replicas",
      "command",
      "env",
      "configuration",
      "secrets",
      "data",
      "scratch",
      "ports",
      "egress",
    ],
    ...["readiness", "liveness", "resources", "stopGraceSeconds", "handover", "beforeStop"],
    ...["replacedLast", "exposed"],
  ],
  configuration: ["files", "onChange"],
  secrets: ["name"],
  data: ["path", "size"],
  ports: ["port", "from"],
  egress: ["network", "ports"],
  probe: ["command", "timeoutSeconds", "intervalSeconds", "failureThreshold", "startPeriodSeconds"],
  command: ["command", "timeoutSeconds"],
  resources: ["memoryMiB", "cpuMillis", "cpuLimitMillis", "sharedMemoryMiB"],
  exposed: ["hostPorts", "replicaStep"],
} as const;

/** A file name that is safe as a key of a ConfigMap and in an archive, and cannot collide with our own `..data`. */
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,98}$/;
const PORT_NAME = /^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;

/**
 * What no platform can render, as messages that start with the field's path. An unknown field is a problem too: no part of a spec
 * is ignored silently.
 */
export function workloadProblems(spec: WorkloadSpec): readonly string[] {
  const problems: string[] = [];
  const say = (path: string, what: string): void => void problems.push(`${spec.name}.${path}: ${what}`);
  const known = (value: object | undefined, fields: readonly string[], path: string): void => {
    for (const field of Object.keys(value ?? {})) {
      if (!fields.includes(field)) say(`${path}${field}`, "cannot be rendered: no platform knows this field");
    }
  };
  known(spec, FIELDS.spec, "");
  known(spec.data, FIELDS.data, "data.");
  known(spec.readiness, FIELDS.probe, "readiness.");
  known(spec.liveness, FIELDS.probe, "liveness.");
  known(spec.handover, FIELDS.command, "handover.");
  known(spec.beforeStop, FIELDS.command, "beforeStop.");
  known(spec.replacedLast, FIELDS.command, "replacedLast.");
  known(spec.resources, FIELDS.resources, "resources.");
  known(spec.exposed, FIELDS.exposed, "exposed.");

  if (!DNS_LABEL.test(spec.name)) say("name", "must be a DNS label");
  if (!Number.isInteger(spec.replicas) || spec.replicas < 1)
    say("replicas", "must be a whole number of at least 1");
  for (const [name, text] of Object.entries(spec.env ?? {})) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      say(`env.${name}`, "is not a valid name for an environment variable");
    if (REPLICA_VARIABLES.some((variable) => variable === name)) say(`env.${name}`, "is set by the platform");
    if (text.includes("\0")) say(`env.${name}`, "contains a NUL character");
  }
  for (const [path, directory] of Object.entries(spec.configuration ?? {})) {
    known(directory, FIELDS.configuration, `configuration[${path}].`);
    for (const [file, text] of Object.entries(directory.files)) {
      const at = `configuration[${path}].files[${file}]`;
      if (!FILE_NAME.test(file)) say(at, "must be a plain file name that does not begin with a dot");
      // The Docker provider rejects an upload without content, but only after it has removed the old container.
      if (text === "") say(at, "is empty; remove the file or write a comment into it");
    }
  }
  for (const [path, secret] of Object.entries(spec.secrets ?? {}))
    known(secret, FIELDS.secrets, `secrets[${path}].`);
  for (const [name, port] of Object.entries(spec.ports)) {
    known(port, FIELDS.ports, `ports.${name}.`);
    if (!PORT_NAME.test(name)) say(`ports.${name}`, "the name must be a DNS label of at most 15 characters");
    if (!Number.isInteger(port.port) || port.port < 1 || port.port > 65535)
      say(`ports.${name}.port`, "is not a port (1 to 65535)");
  }
  for (const [i, destination] of (spec.egress ?? []).entries()) {
    known(destination, FIELDS.egress, `egress[${i}].`);
    const [address = "", length = ""] = destination.network.split("/");
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(length))
      say(`egress[${i}].network`, "must be a network such as 203.0.113.0/24");
    if (destination.ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65535))
      say(`egress[${i}].ports`, "contains a number that is not a port (1 to 65535)");
  }
  for (const name of Object.keys(spec.exposed?.hostPorts ?? {})) {
    if (!spec.ports[name]) say(`exposed.hostPorts.${name}`, "is not in ports");
  }
  commandProblems(spec, problems, say);
  mountProblems(spec, say);
  return problems;
}

function commandProblems(
  spec: WorkloadSpec,
  problems: string[],
  say: (path: string, what: string) => void,
): void {
  const commands = {
    command: spec.command && { command: spec.command, timeoutSeconds: 1 },
    readiness: spec.readiness,
    liveness: spec.liveness,
    handover: spec.handover,
    beforeStop: spec.beforeStop,
    replacedLast: spec.replacedLast,
  };
  for (const [path, value] of Object.entries(commands)) {
    if (!value) continue;
    if (value.command.length === 0) say(path, "has an empty command");
    // The Docker provider rejects an empty argument, but only after it has removed the old container.
    value.command.forEach((text, i) => {
      if (text === "") say(`${path}[${i}]`, "is empty");
      const at = path === "command" ? path : `${path}.command`;
      try {
        parseText(text, `${spec.name}.${at}[${i}]`);
      } catch (error) {
        problems.push((error as Error).message);
      }
    });
    const whole = (field: string, number: number, least: number): void => {
      if (!Number.isInteger(number) || number < least) {
        say(`${path}.${field}`, `must be a whole number of at least ${least}`);
      }
    };
    whole("timeoutSeconds", value.timeoutSeconds, 1);
    if ("intervalSeconds" in value) {
      whole("intervalSeconds", value.intervalSeconds, 1);
      whole("failureThreshold", value.failureThreshold, 1);
      whole("startPeriodSeconds", value.startPeriodSeconds, 0);
    }
  }
  if (!Number.isInteger(spec.stopGraceSeconds) || spec.stopGraceSeconds < 1) {
    say("stopGraceSeconds", "must be a whole number of at least 1");
  }
}

/** A mount hides everything mounted below its path, so no mount path may be inside another one. */
function mountProblems(spec: WorkloadSpec, say: (path: string, what: string) => void): void {
  const mounts = [
    ...Object.keys(spec.configuration ?? {}).map((path) => ({ path, field: `configuration[${path}]` })),
    ...Object.keys(spec.secrets ?? {}).map((path) => ({ path, field: `secrets[${path}]` })),
    ...(spec.data ? [{ path: spec.data.path, field: "data.path" }] : []),
    ...(spec.scratch ?? []).map((path, i) => ({ path, field: `scratch[${i}]` })),
  ];
  for (const mount of mounts) {
    if (!/^(\/[A-Za-z0-9._-]+)+$/.test(mount.path) || mount.path.includes("/..")) {
      say(mount.field, "must be an absolute path of plain names");
    }
    // Volumes and ConfigMaps get their names from their paths.
    const flat = (path: string): string => path.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    const twin = mounts.slice(0, mounts.indexOf(mount)).find((m) => flat(m.path) === flat(mount.path));
    if (twin)
      say(mount.field, `has the same letters and digits as ${twin.field}, so it would get the same name`);
    const outer = mounts.find(
      (m) => m !== mount && m.path !== mount.path && mount.path.startsWith(`${m.path}/`),
    );
    if (outer) say(mount.field, `is inside ${outer.field}, which would hide it`);
  }
}

/** Throws one error with all problems. */
export function refuseUnrenderable(spec: WorkloadSpec): void {
  const problems = workloadProblems(spec);
  if (problems.length > 0)
    throw new Error(`Workload ${spec.name} cannot be rendered:\n  ${problems.join("\n  ")}`);
}
