import { DockerPlatform } from "../../components/platforms/docker/platform";
import { KubernetesPlatform } from "../../components/platforms/kubernetes/platform";
import type { Deployment, Platform } from "../../components/platforms/platform";
import type { WorkloadSpec } from "../../components/platforms/workload";
import { IMAGES } from "../../config-files/images";
import { cluster } from "../../stacks/cluster";
import { dev } from "../../stacks/dev";
import { prod } from "../../stacks/prod";
import { readSettings, type StackSettings, withDefaults } from "../../stacks/settings";
import { record, type RecordedResource } from "./record";

export type StackName = "dev" | "prod";

/** The settings of an environment, with `written` as Pulumi.<stack>.yaml would have it. */
export function settingsOf(stack: StackName, written: Record<string, unknown> = {}): StackSettings {
  const config = Object.fromEntries(
    Object.entries({ cluster: "pg", ...written }).map(([key, value]) => [
      `postgres-cluster:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const { settings, problems } = readSettings(config, "postgres-cluster", stack);
  expect(problems).toEqual([]);
  return withDefaults(settings, { dev, prod }[stack].defaults);
}

const images = Object.fromEntries(Object.keys(IMAGES).map((name) => [name, `registry.test/${name}:1`]));
const nothingRuns = { list: () => Promise.resolve([]), ask: () => Promise.resolve(undefined) };

const platforms = {
  dev: () => new DockerPlatform({ cluster: "pg", runningMembers: nothingRuns }),
  prod: ({ kubernetes }: StackSettings) =>
    new KubernetesPlatform({ ...kubernetes, cluster: "pg", namespace: "postgres", images }),
};

/** What the certificates' resources compute; nobody looks into it. */
export const certificateOutputs = (type: string, name: string): Record<string, unknown> | undefined =>
  type.includes("certificates:")
    ? {
        certificatePem: `certificate-of-${name}`,
        privateKeyPem: `key-of-${name}`,
        expires: "2030-01-01T00:00:00Z",
      }
    : undefined;

export interface RecordedStack {
  readonly resources: readonly RecordedResource[];
  /** The descriptions that its components gave to the platform. */
  readonly specs: readonly WorkloadSpec[];
}

const recorded = new Map<string, Promise<RecordedStack>>();

/**
 * Declares a whole stack against mocks, once for all who ask in a file: it takes a second.
 *
 * @param where The stack whose platform it is declared on. Default: its own.
 * @param written Settings over those of the stack.
 */
export function recordStack(
  stack: StackName,
  distributed = false,
  where = stack,
  written: Record<string, unknown> = {},
): Promise<RecordedStack> {
  const key = `${stack} ${distributed} ${where} ${JSON.stringify(written)}`;
  if (!recorded.has(key)) recorded.set(key, declareStack(stack, distributed, platforms[where], written));
  return recorded.get(key)!;
}

/** The same on Docker, without what the platform makes of the workloads: that is most of the resources, and of the time. */
export function recordComponents(
  stack: StackName,
  distributed: boolean,
  written: Record<string, unknown>,
): Promise<RecordedStack> {
  const key = `components ${stack} ${distributed} ${JSON.stringify(written)}`;
  if (!recorded.has(key)) {
    const deploy: Deploy = (platform, { image }) => ({ image, started: [], ready: () => platform.ground });
    recorded.set(key, declareStack(stack, distributed, platforms.dev, written, deploy));
  }
  return recorded.get(key)!;
}

type Deploy = (platform: Platform, ...args: Parameters<Platform["deploy"]>) => Deployment;

async function declareStack(
  stack: StackName,
  distributed: boolean,
  platform: (settings: StackSettings) => Platform,
  written: Record<string, unknown>,
  deploy: Deploy = (target, ...args) => target.deploy(...args),
): Promise<RecordedStack> {
  const specs: WorkloadSpec[] = [];
  const listen = (platform: Platform): Platform =>
    new Proxy(platform, {
      get(target, property) {
        if (property === "deploy") {
          return (...args: Parameters<Platform["deploy"]>) => {
            specs.push(args[0]);
            return deploy(target, ...args);
          };
        }
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  const settings = settingsOf(stack, written);
  const resources = await record(() => void cluster(settings, listen(platform(settings)), distributed), {
    stack,
    outputs: certificateOutputs,
  });
  return { resources, specs };
}
