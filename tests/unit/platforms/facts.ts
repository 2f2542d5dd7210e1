import { renderDocker } from "../../../components/platforms/docker/render";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { DOCKER, KUBERNETES } from "./contexts";

/** What a workload is, whatever runs it. */
export interface Facts {
  members: string[];
  image: unknown;
  command: unknown;
  environment: string[];
  mounts: string[];
  readOnly: string[];
  failureThreshold: unknown;
  memoryMiB: unknown;
  cpuLimitMillis: unknown;
  user: string;
  graceAtLeast: boolean;
}

const IMAGE = "registry.example.com/image:1";
const dropped = { drop: ["ALL"] };

/** How often each asks whether a member is ready, in its own words. */
export function intervals(spec: WorkloadSpec): { docker: string; kubernetesSeconds: number } {
  const { members } = renderDocker(spec, { ...DOCKER, image: IMAGE });
  const set = renderKubernetes(spec, { ...KUBERNETES, image: IMAGE }).statefulSet as unknown as StatefulSet;
  return {
    docker: (members[0]!.container as unknown as Container).healthcheck.interval,
    kubernetesSeconds: set.spec.template.spec.containers[0]!.readinessProbe.periodSeconds,
  };
}

export function onDocker(spec: WorkloadSpec): Facts {
  const { members } = renderDocker(spec, { ...DOCKER, image: IMAGE });
  const container = members[0]!.container as unknown as Container;
  const { volumes, uploads } = container;
  const folders = uploads.map(({ file }) => file.slice(0, file.lastIndexOf("/")));
  expect(container.capabilities).toEqual({ drops: dropped.drop });
  return {
    members: members.map((m) => m.name),
    image: container.image,
    command: container.command,
    environment: container.envs.map((e) => e.split("=")[0]!).sort(),
    mounts: [
      ...new Set([...volumes.map((v) => v.containerPath), ...folders, ...Object.keys(container.tmpfs ?? {})]),
      ...(container.shmSize ? ["/dev/shm"] : []),
    ].sort(),
    readOnly: [
      ...new Set([...volumes.filter((v) => v.readOnly).map((v) => v.containerPath), ...folders]),
    ].sort(),
    failureThreshold: container.healthcheck.retries,
    memoryMiB: container.memory,
    cpuLimitMillis: container.cpuQuota && (container.cpuQuota * 1000) / container.cpuPeriod!,
    user: container.user,
    graceAtLeast: container.stopTimeout >= spec.stopGraceSeconds,
  };
}

export function onKubernetes(spec: WorkloadSpec): Facts {
  const rendered = renderKubernetes(spec, { ...KUBERNETES, image: IMAGE });
  const set = rendered.statefulSet as unknown as StatefulSet;
  const pod = set.spec.template.spec;
  const container = pod.containers[0]!;
  expect(container.securityContext.capabilities).toEqual(dropped);
  const { memory, cpu } = container.resources?.limits ?? {};
  return {
    members: [...Array(set.spec.replicas).keys()].map((i) => `${set.metadata.name}-${i}`),
    image: container.image,
    // On Kubernetes the variables are expanded later; take the first replica's.
    command: container.args?.map((arg) => arg.replace("$(REPLICA_NAME)", `${set.metadata.name}-0`)),
    environment: container.env.map((e) => e.name).sort(),
    mounts: container.volumeMounts.map((m) => m.mountPath).sort(),
    readOnly: container.volumeMounts
      .filter((m) => m.readOnly)
      .map((m) => m.mountPath)
      .sort(),
    failureThreshold: container.readinessProbe.failureThreshold,
    memoryMiB: memory && Number(memory.replace("Mi", "")),
    cpuLimitMillis: cpu && Number(cpu.replace("m", "")),
    user: `${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`,
    graceAtLeast: pod.terminationGracePeriodSeconds >= spec.stopGraceSeconds,
  };
}

/** The arguments without outputs, as the renderer makes them. */
interface Container {
  image: string;
  command?: string[];
  user: string;
  envs: string[];
  volumes: { containerPath: string; readOnly: boolean }[];
  uploads: { file: string }[];
  tmpfs?: Record<string, string>;
  healthcheck: { interval: string; retries: number };
  capabilities: unknown;
  memory?: number;
  cpuPeriod?: number;
  cpuQuota?: number;
  shmSize?: number;
  stopTimeout: number;
}

interface StatefulSet {
  metadata: { name: string };
  spec: {
    replicas: number;
    template: {
      spec: {
        securityContext: { runAsUser: number; runAsGroup: number };
        terminationGracePeriodSeconds: number;
        containers: {
          image: string;
          args?: string[];
          env: { name: string }[];
          volumeMounts: { mountPath: string; readOnly?: boolean }[];
          readinessProbe: { periodSeconds: number; failureThreshold: number };
          resources?: { limits?: { memory?: string; cpu?: string } };
          securityContext: { capabilities: unknown };
        }[];
      };
    };
  };
}
