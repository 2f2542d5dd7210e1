import { shellWord } from "../../components/platforms/docker/health-check";

/** A container as the stack's state has it: the inputs that our renderer writes. */
export interface ContainerInputs {
  readonly name: string;
  readonly image: string;
  readonly hostname?: string;
  readonly command?: readonly string[];
  readonly user?: string;
  readonly envs?: readonly string[];
  readonly networksAdvanced?: readonly { readonly name: string; readonly aliases?: readonly string[] }[];
  readonly ports?: readonly {
    readonly ip?: string;
    readonly external?: number;
    readonly internal: number;
    readonly protocol?: string;
  }[];
  readonly volumes?: readonly {
    readonly volumeName?: string;
    readonly containerPath?: string;
    readonly readOnly?: boolean;
  }[];
  readonly uploads?: readonly {
    readonly file: string;
    readonly content: string;
    readonly permissions?: string;
  }[];
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly shmSize?: number;
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly cpuShares?: number;
  readonly healthcheck?: {
    readonly tests: readonly string[];
    readonly interval?: string;
    readonly timeout?: string;
    readonly startPeriod?: string;
    readonly retries?: number;
  };
  readonly restart?: string;
  readonly stopSignal?: string;
  readonly stopTimeout?: number;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly capabilities?: { readonly drops?: readonly string[] };
  readonly securityOpts?: readonly string[];
  readonly logDriver?: string;
  readonly logOpts?: Readonly<Record<string, string>>;
  readonly labels?: readonly { readonly label: string; readonly value: string }[];
}

/** What `docker create` is told for each input. */
const OPTIONS: {
  readonly [K in keyof Required<ContainerInputs>]: (value: NonNullable<ContainerInputs[K]>) => string[];
} = {
  name: (name) => ["--name", name],
  hostname: (name) => ["--hostname", name],
  user: (user) => ["--user", user],
  envs: (envs) => envs.flatMap((env) => ["--env", env]),
  networksAdvanced: (networks) =>
    networks.flatMap(({ name, aliases = [] }) => [
      ...["--network", name],
      ...aliases.flatMap((alias) => ["--network-alias", alias]),
    ]),
  ports: (ports) =>
    ports.flatMap(({ ip = "", external = "", internal, protocol = "tcp" }) => [
      "--publish",
      `${ip}:${external}:${internal}/${protocol}`,
    ]),
  volumes: (volumes) =>
    volumes.flatMap(({ volumeName = "", containerPath = "", readOnly }) => [
      "--volume",
      `${volumeName}:${containerPath}${readOnly === true ? ":ro" : ""}`,
    ]),
  tmpfs: (mounts) => Object.entries(mounts).flatMap(([path, options]) => ["--tmpfs", `${path}:${options}`]),
  shmSize: (size) => ["--shm-size", `${size}m`],
  memory: (size) => ["--memory", `${size}m`],
  memorySwap: (size) => ["--memory-swap", `${size}m`],
  cpuShares: (shares) => ["--cpu-shares", `${shares}`],
  healthcheck: ({ tests, interval, timeout, startPeriod, retries }) => [
    // The first word says how the rest is run; what follows CMD is a command, which the client takes as a line of a shell.
    ...["--health-cmd", tests.slice(1).map(shellWord).join(" ")],
    ...(interval === undefined ? [] : ["--health-interval", interval]),
    ...(timeout === undefined ? [] : ["--health-timeout", timeout]),
    ...(startPeriod === undefined ? [] : ["--health-start-period", startPeriod]),
    ...(retries === undefined ? [] : ["--health-retries", `${retries}`]),
  ],
  restart: (policy) => ["--restart", policy],
  stopSignal: (signal) => ["--stop-signal", signal],
  stopTimeout: (seconds) => ["--stop-timeout", `${seconds}`],
  sysctls: (values) => Object.entries(values).flatMap(([name, value]) => ["--sysctl", `${name}=${value}`]),
  capabilities: ({ drops = [] }) => drops.flatMap((capability) => ["--cap-drop", capability]),
  securityOpts: (options) => options.flatMap((option) => ["--security-opt", option]),
  logDriver: (driver) => ["--log-driver", driver],
  logOpts: (options) => Object.entries(options).flatMap(([name, value]) => ["--log-opt", `${name}=${value}`]),
  labels: (labels) => labels.flatMap(({ label, value }) => ["--label", `${label}=${value}`]),
  // Copied into the container before it starts.
  uploads: () => [],
  image: () => [],
  command: () => [],
};

/** How the provider handles the container; nothing that a container is made of. */
const HANDLING = ["destroyGraceSeconds", "__defaults"];

/** Throws on an input that it does not know, so that both ways start the same containers. */
export function createArguments(container: ContainerInputs): string[] {
  const given: Readonly<Record<string, unknown>> = { ...container };
  const defaults = (given["__defaults"] ?? []) as readonly string[];
  const options: Readonly<Record<string, ((value: never) => string[]) | undefined>> = OPTIONS;
  const words = Object.entries(given).flatMap(([input, value]) => {
    if (value === null || defaults.includes(input) || HANDLING.includes(input)) return [];
    const option = options[input];
    if (!option) throw new Error(`the bare script does not know how to give a container "${input}"`);
    return option(value as never);
  });
  return [...words, container.image, ...(container.command ?? [])];
}
