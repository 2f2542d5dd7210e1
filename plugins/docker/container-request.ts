// From the provider's inputs to the body of Docker's "create a container": pure.

import type Docker from "dockerode";
import { isObject, type Properties, type Value } from "../properties";
import { blocks, labelMap, number, record, text, texts } from "./values";

const MIB = 1024 * 1024;

const given = <T>(value: Value | undefined, read: (value: Value) => T): T | undefined =>
  value === undefined || value === null ? undefined : read(value);

/** Go's duration syntax (`1m30s`, `500ms`) in nanoseconds, which is how Docker takes it. */
export function nanoseconds(duration: string): number {
  const units: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * (units[unit ?? ""] ?? 0);
  return total;
}

export function memoryBytes(mebibytes: Value | undefined): number {
  const value = number(mebibytes);
  return value > 0 ? value * MIB : value;
}

function healthcheck(value: Value | undefined): Docker.HealthConfig | undefined {
  if (!isObject(value)) return undefined;
  return {
    Test: texts(value.tests),
    Interval: nanoseconds(text(value.interval)),
    Timeout: nanoseconds(text(value.timeout)),
    StartPeriod: nanoseconds(text(value.startPeriod)),
    // Unknown to the types of the client, and to engines before 25.0, which do not mind a zero.
    ...({ StartInterval: nanoseconds(text(value.startInterval)) } as object),
    Retries: number(value.retries),
  };
}

function portKey(port: Properties): string {
  return `${number(port.internal)}/${text(port.protocol) || "tcp"}`;
}

function portBindings(ports: readonly Properties[]): Docker.PortMap {
  const bindings: Docker.PortMap = {};
  for (const port of ports) {
    const binding = {
      HostIp: text(port.ip),
      HostPort: number(port.external) > 0 ? String(number(port.external)) : "",
    };
    (bindings[portKey(port)] ??= []).push(binding);
  }
  return bindings;
}

function mount(value: Properties): Docker.MountSettings {
  const [bind, volume, tmpfs] = [value.bindOptions, value.volumeOptions, value.tmpfsOptions];
  return {
    Type: text(value.type) as Docker.MountType,
    Target: text(value.target),
    Source: text(value.source),
    ReadOnly: value.readOnly === true,
    ...(isObject(bind)
      ? { BindOptions: { Propagation: text(bind.propagation) as Docker.MountPropagation } }
      : {}),
    ...(isObject(volume)
      ? {
          VolumeOptions: {
            NoCopy: volume.noCopy === true,
            Labels: labelMap(volume.labels),
            DriverConfig: { Name: text(volume.driverName), Options: record(volume.driverOptions) ?? {} },
          },
        }
      : {}),
    ...(isObject(tmpfs)
      ? { TmpfsOptions: { SizeBytes: number(tmpfs.sizeBytes), Mode: number(tmpfs.mode) } }
      : {}),
  };
}

/** `volumes` knows three kinds: of another container, a bind or named volume, an anonymous one. */
function volumes(value: Value | undefined): { binds: string[]; from: string[]; anonymous: string[] } {
  const result = { binds: [] as string[], from: [] as string[], anonymous: [] as string[] };
  for (const each of blocks(value)) {
    const source = text(each.volumeName) || text(each.hostPath);
    const modes = [each.readOnly === true ? "ro" : "rw", text(each.selinuxRelabel)].filter(Boolean).join(",");
    if (text(each.fromContainer) !== "") result.from.push(text(each.fromContainer));
    else if (source !== "") result.binds.push(`${source}:${text(each.containerPath)}:${modes}`);
    else result.anonymous.push(text(each.containerPath));
  }
  return result;
}

export function createRequest(inputs: Properties): Docker.ContainerCreateOptions {
  const ports = blocks(inputs.ports);
  const { binds, from, anonymous } = volumes(inputs.volumes);
  const capabilities = isObject(inputs.capabilities) ? inputs.capabilities : {};
  const securityOpts = texts(inputs.securityOpts);
  return {
    name: text(inputs.name),
    ...(text(inputs.platform) === "" ? {} : { platform: text(inputs.platform) }),
    Image: text(inputs.image),
    Hostname: text(inputs.hostname) || undefined,
    Domainname: text(inputs.domainname) || undefined,
    Tty: inputs.tty === true,
    OpenStdin: inputs.stdinOpen === true,
    StopSignal: text(inputs.stopSignal) || undefined,
    StopTimeout: given(inputs.stopTimeout, number),
    Env: texts(inputs.envs),
    Cmd: given(inputs.command, texts),
    Entrypoint: given(inputs.entrypoints, texts),
    User: text(inputs.user) || undefined,
    WorkingDir: text(inputs.workingDir) || undefined,
    ExposedPorts: Object.fromEntries(ports.map((port) => [portKey(port), {}])),
    Volumes: Object.fromEntries(anonymous.map((path) => [path, {}])),
    Labels: labelMap(inputs.labels),
    Healthcheck: healthcheck(inputs.healthcheck),
    HostConfig: {
      Privileged: inputs.privileged === true,
      PublishAllPorts: inputs.publishAllPorts === true,
      RestartPolicy: { Name: text(inputs.restart) || "no", MaximumRetryCount: number(inputs.maxRetryCount) },
      Runtime: text(inputs.runtime) || undefined,
      Mounts: blocks(inputs.mounts).map(mount),
      AutoRemove: inputs.rm === true,
      ReadonlyRootfs: inputs.readOnly === true,
      LogConfig: { Type: text(inputs.logDriver), Config: record(inputs.logOpts) ?? {} },
      Tmpfs: record(inputs.tmpfs),
      PortBindings: portBindings(ports),
      ExtraHosts: blocks(inputs.hosts).map((each) => `${text(each.host)}:${text(each.ip)}`),
      Binds: binds,
      VolumesFrom: from,
      Ulimits: blocks(inputs.ulimits).map((each) => ({
        Name: text(each.name),
        Soft: number(each.soft),
        Hard: number(each.hard),
      })),
      CapAdd: texts(capabilities.adds),
      CapDrop: texts(capabilities.drops),
      Devices: blocks(inputs.devices).map((each) => ({
        PathOnHost: text(each.hostPath),
        PathInContainer: text(each.containerPath) || text(each.hostPath),
        CgroupPermissions: text(each.permissions),
      })),
      Dns: texts(inputs.dns),
      DnsOptions: texts(inputs.dnsOpts),
      DnsSearch: texts(inputs.dnsSearches),
      // `systempaths=unconfined` is an option of the docker command; the engine knows its meaning only.
      SecurityOpt: securityOpts.filter((option) => option !== "systempaths=unconfined"),
      ...(securityOpts.includes("systempaths=unconfined") ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
      Memory: memoryBytes(inputs.memory),
      MemoryReservation: memoryBytes(inputs.memoryReservation),
      MemorySwap: memoryBytes(inputs.memorySwap),
      ShmSize: given(inputs.shmSize, memoryBytes),
      NanoCpus: given(inputs.cpus, (value) => Math.round(Number(text(value)) * 1e9)),
      CpuPeriod: number(inputs.cpuPeriod) || undefined,
      CpuQuota: number(inputs.cpuQuota) || undefined,
      CpuShares: number(inputs.cpuShares) || undefined,
      CpusetCpus: text(inputs.cpuSet) || undefined,
      // Also where networksAdvanced is given, as the real provider does it: it compares this when it refreshes.
      NetworkMode: text(inputs.networkMode) || "bridge",
      UsernsMode: text(inputs.usernsMode) || undefined,
      PidMode: text(inputs.pidMode) || undefined,
      IpcMode: text(inputs.ipcMode) || undefined,
      Sysctls: record(inputs.sysctls),
      GroupAdd: texts(inputs.groupAdds),
      CgroupParent: text(inputs.cgroupParent) || undefined,
      Init: inputs.init === true,
      StorageOpt: record(inputs.storageOpts),
      // Unknown to the types of the client.
      ...({ CgroupnsMode: text(inputs.cgroupnsMode) || undefined } as object),
    },
  };
}

/** What the request cannot say is refused, not dropped. */
const UNSUPPORTED = [
  "deviceRequests",
  "gpus",
  "deviceReadBps",
  "deviceReadIops",
  "deviceWriteBps",
  "deviceWriteIops",
  "deviceCgroupRules",
];

export function unsupported(inputs: Properties): { property: string; reason: string }[] {
  return UNSUPPORTED.filter((key) => inputs[key] !== undefined).map((property) => ({
    property,
    reason: "this plugin cannot set it; the vendor's can",
  }));
}

/** `name=value`, as the two. */
function driverOptions(options: readonly string[]): Record<string, string> | undefined {
  if (options.length === 0) return undefined;
  return Object.fromEntries(
    options.map((option) => {
      const at = option.indexOf("=");
      return [option.slice(0, at), option.slice(at + 1)];
    }),
  );
}

export function endpoint(network: Properties): Docker.EndpointSettings {
  return {
    Aliases: texts(network.aliases),
    IPAMConfig: {
      IPv4Address: text(network.ipv4Address) || undefined,
      IPv6Address: text(network.ipv6Address) || undefined,
      LinkLocalIPs: texts(network.linkLocalIps),
    },
    MacAddress: text(network.macAddress) || undefined,
    DriverOpts: driverOptions(texts(network.driverOpts)),
    // Unknown to the types of the client.
    ...(number(network.gwPriority) !== 0 && ({ GwPriority: number(network.gwPriority) } as object)),
  };
}
