// From Docker's "inspect" to the outputs that the real provider stores, the empty ones included: it plans a
// replacement where one is missing. Pure.

import type Docker from "dockerode";
import { isObject, type Properties, type Value } from "../properties";
import { number, text } from "./values";

const MIB = 1024 * 1024;
/** The real provider keeps its time limits and the version of its schema here. */
const META =
  '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000},"schema_version":"2"}';

/** Outputs that are simply what was asked for. */
const ECHOED: Properties = {
  attach: false,
  cgroupParent: null,
  cgroupnsMode: null,
  containerReadRefreshTimeoutMilliseconds: 15000,
  cpuPeriod: null,
  cpuQuota: null,
  cpus: null,
  destroyGraceSeconds: null,
  deviceReadBps: [],
  deviceReadIops: [],
  deviceRequests: [],
  deviceWriteBps: [],
  deviceWriteIops: [],
  devices: [],
  envs: [],
  gpus: null,
  labels: [],
  logOpts: null,
  logs: false,
  mustRun: true,
  networksAdvanced: [],
  pidMode: null,
  ports: [],
  removeVolumes: true,
  start: true,
  ulimits: [],
  uploads: [],
  volumes: [],
  wait: false,
  waitTimeout: 60,
};

/** Blocks are stored with every property that they have, given or not. */
const COMPLETE: Record<string, Properties> = {
  mounts: { bindOptions: null, readOnly: null, source: "", tmpfsOptions: null, volumeOptions: null },
  networksAdvanced: {
    aliases: [],
    driverOpts: [],
    gwPriority: null,
    ipv4Address: "",
    ipv6Address: "",
    linkLocalIps: [],
    macAddress: "",
  },
  uploads: { content: "", contentBase64: "", executable: false, permissions: "", source: "", sourceHash: "" },
  volumes: {
    containerPath: "",
    fromContainer: "",
    hostPath: "",
    readOnly: null,
    selinuxRelabel: "",
    volumeName: "",
  },
};

/** Nanoseconds as Go writes a duration: `1m30s`. */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e9) return nanoseconds < 1e6 ? `${nanoseconds / 1e3}µs` : `${nanoseconds / 1e6}ms`;
  const seconds = nanoseconds / 1e9;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
}

function echoed(inputs: Properties): Properties {
  const outputs: Properties = {};
  for (const [key, empty] of Object.entries(ECHOED)) {
    const value = inputs[key] ?? empty;
    const complete = COMPLETE[key];
    outputs[key] =
      complete !== undefined && Array.isArray(value)
        ? value.map((each) => (isObject(each) ? { ...complete, ...each } : each))
        : value;
  }
  return outputs;
}

const orNull = (map: object | null | undefined): Value =>
  map && Object.keys(map).length > 0 ? { ...map } : null;
const listOrNull = (list: readonly string[] | null | undefined): Value =>
  list && list.length > 0 ? [...list] : null;

function networkDatas(
  networks: Docker.ContainerInspectInfo["NetworkSettings"]["Networks"] | undefined,
): Properties[] {
  return Object.entries(networks ?? {}).map(([networkName, network]) => ({
    gateway: network.Gateway,
    globalIpv6Address: network.GlobalIPv6Address,
    globalIpv6PrefixLength: network.GlobalIPv6PrefixLen,
    ipAddress: network.IPAddress,
    ipPrefixLength: network.IPPrefixLen,
    ipv6Gateway: network.IPv6Gateway,
    macAddress: network.MacAddress,
    networkName,
  }));
}

/** What Docker bound, in the order of the program's wish; a port that was left to Docker is filled in. */
function ports(
  wished: Value | undefined,
  bound: Docker.ContainerInspectInfo["NetworkSettings"]["Ports"] | undefined,
): Value {
  if (!Array.isArray(wished)) return [];
  return wished.map((each) => {
    if (!isObject(each) || number(each.external) > 0) return each;
    const [binding] = bound?.[`${number(each.internal)}/${text(each.protocol) || "tcp"}`] ?? [];
    return { ...each, external: Number(binding?.HostPort ?? 0) };
  });
}

function mounts(wished: Value | undefined): Value {
  if (!Array.isArray(wished)) return [];
  return wished.map((each) => (isObject(each) ? { ...COMPLETE.mounts, ...each } : each));
}

function healthcheck(config: Docker.HealthConfig | null | undefined): Value {
  if (config === undefined || config === null) return null;
  return {
    interval: goDuration(config.Interval ?? 0),
    retries: config.Retries ?? 0,
    startInterval: goDuration((config as { StartInterval?: number }).StartInterval ?? 0),
    startPeriod: goDuration(config.StartPeriod ?? 0),
    tests: config.Test ?? [],
    timeout: goDuration(config.Timeout ?? 0),
  };
}

/**
 * `inputs` are what the program asked for, without notes on defaults. The names of the hosts and the capabilities
 * come back from Docker in its own order or spelling, and are kept as they were asked for.
 */
export function containerOutputs(
  found: Docker.ContainerInspectInfo,
  inputs: Properties,
  containerLogs?: string,
): Properties {
  const { Config: config, HostConfig: host, State: state } = found;
  // The client's types know neither the nulls nor every field.
  const { Cmd: command } = config as unknown as { Cmd: string[] | null };
  const { Tmpfs: tmpfs } = host as { Tmpfs?: Record<string, string> | null };
  const runs = state.Running;
  return {
    ...echoed(inputs),
    __meta: META,
    id: found.Id,
    name: found.Name.replace(/^\//, ""),
    bridge: (found.NetworkSettings as { Bridge?: string }).Bridge ?? "",
    capabilities: isObject(inputs.capabilities) ? { adds: [], drops: [], ...inputs.capabilities } : null,
    command: command ?? [],
    containerLogs: containerLogs ?? null,
    cpuSet: host.CpusetCpus ?? "",
    cpuShares: host.CpuShares ?? 0,
    dns: listOrNull(host.Dns),
    dnsOpts: listOrNull(host.DnsOptions),
    dnsSearches: listOrNull(host.DnsSearch),
    domainname: config.Domainname,
    entrypoints: typeof config.Entrypoint === "string" ? [config.Entrypoint] : (config.Entrypoint ?? []),
    exitCode: runs ? null : state.ExitCode,
    groupAdds: listOrNull(host.GroupAdd),
    healthcheck: healthcheck(config.Healthcheck),
    hostname: config.Hostname,
    hosts: inputs.hosts ?? [],
    // By content if that is how it was asked for, by name otherwise.
    image: text(inputs.image).startsWith("sha256:") ? found.Image : config.Image,
    init: host.Init === true,
    ipcMode: host.IpcMode ?? "",
    logDriver: host.LogConfig?.Type ?? "",
    maxRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    memory: Math.floor((host.Memory ?? 0) / MIB),
    memoryReservation: Math.floor((host.MemoryReservation ?? 0) / MIB),
    memorySwap:
      (host.MemorySwap ?? 0) > 0 ? Math.floor((host.MemorySwap ?? 0) / MIB) : (host.MemorySwap ?? 0),
    mounts: mounts(inputs.mounts),
    // A container that should run and does not: the next update sees a difference and starts it.
    mustRun: inputs.mustRun !== false && runs,
    networkDatas: networkDatas(found.NetworkSettings.Networks),
    networkMode: text(inputs.networkMode) || "bridge",
    platform: found.Platform,
    ports: ports(inputs.ports, found.NetworkSettings.Ports),
    privileged: host.Privileged === true,
    publishAllPorts: host.PublishAllPorts === true,
    readOnly: host.ReadonlyRootfs === true,
    restart: host.RestartPolicy?.Name ?? "no",
    rm: host.AutoRemove === true,
    runtime: host.Runtime ?? "",
    securityOpts: (host.SecurityOpt as string[] | null | undefined) ?? [],
    shmSize: Math.floor((host.ShmSize ?? 0) / MIB),
    stdinOpen: config.OpenStdin,
    stopSignal: (config as { StopSignal?: string }).StopSignal ?? "",
    stopTimeout: (config as { StopTimeout?: number }).StopTimeout ?? 0,
    storageOpts: orNull(host.StorageOpt),
    sysctls: orNull(host.Sysctls),
    tmpfs: orNull(tmpfs),
    tty: config.Tty,
    user: config.User,
    usernsMode: host.UsernsMode ?? "",
    workingDir: config.WorkingDir,
  };
}
