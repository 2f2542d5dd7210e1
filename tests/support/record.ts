import * as pulumi from "@pulumi/pulumi";

/** A resource as a program registered it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** URN of the parent, empty for none. */
  readonly parent: string;
  /** Everything that was given; a secret reads `[secret]`, the text of a dynamic provider, which is not made, `[provider]`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that it waits for by `dependsOn`, in the order of the names. */
  readonly dependsOn: readonly string[];
  readonly options: {
    readonly protect: boolean;
    readonly retainOnDelete: boolean;
    readonly deleteBeforeReplace: boolean;
    readonly replaceOnChanges: readonly string[];
    readonly ignoreChanges: readonly string[];
    readonly additionalSecretOutputs: readonly string[];
  };
}

export interface RecordOptions {
  readonly project?: string;
  readonly stack?: string;
  /** A preview instead of an update. */
  readonly preview?: boolean;
  /** What a resource computes, besides what it was given; `undefined` for nothing. Secret where the resource says so. */
  readonly outputs?: (
    type: string,
    name: string,
    inputs: Record<string, unknown>,
  ) => Record<string, unknown> | undefined;
}

const SECRET = { key: "4dabf18193072939515e22adb298388d", signature: "1b47061264138c4ac30d75fd1eb44270" };

/** Runs a program against Pulumi's mocks and returns every resource it registered, in the order of registration. */
export async function record(
  program: () => unknown,
  options: RecordOptions = {},
): Promise<readonly RecordedResource[]> {
  const { project = "postgres-cluster", stack = "dev", preview = false } = options;
  const recorded: RecordedResource[] = [];
  const secretOutputs = new Map<string, readonly string[]>();
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => inputs,
      newResource: ({ type, name, inputs }) => {
        const state = { ...inputs, ...generated(type, name), ...options.outputs?.(type, name, inputs) };
        const secrets = secretOutputs.get(`${type}::${name}`) ?? [];
        return {
          id: `${name}-id`,
          state: Object.fromEntries(
            Object.entries(state).map(([key, value]) => [
              key,
              secrets.includes(key) ? pulumi.secret(value) : value,
            ]),
          ),
        };
      },
    },
    project,
    stack,
    preview,
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  // The mock monitor has none, and a component with hooks would wait for ever.
  monitor.registerResourceHook ??= (_request, callback) => callback(null, {});
  monitor.registerErrorHook ??= (_request, callback) => callback(null, {});
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    secretOutputs.set(`${request.getType()}::${request.getName()}`, request.getAdditionalsecretoutputsList());
    return register(request, (error, response) => {
      if (response) recorded.push(recordedResource(request, response.getUrn()));
      callback(error, response);
    });
  };
  // A program may end before all it registered has arrived; an error in between must not be lost.
  let failure: unknown;
  const onRejection = (error: unknown): void => void (failure ??= error);
  process.on("unhandledRejection", onRejection);
  // Pulumi takes a stack trace for each property of each resource; jest's source maps make these a third of a recording's time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    await program();
    await pulumi.runtime.disconnect();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    process.off("unhandledRejection", onRejection);
  }
  if (failure instanceof Error) throw failure;
  if (failure !== undefined) throw new Error("the program rejected a promise", { cause: failure });
  return recorded;
}

/** Outputs that programs read from providers that are not asked here. */
function generated(type: string, name: string): Record<string, unknown> {
  if (type === "random:index/randomPassword:RandomPassword") return { result: `password-of-${name}` };
  return {};
}

function recordedResource(request: RegisterRequest, urn: string): RecordedResource {
  const inputs = masked(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>;
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    inputs,
    dependsOn: request
      .getDependenciesList()
      .map((dependency) => dependency.split("::").at(-1)!)
      .sort(),
    options: {
      protect: request.getProtect(),
      retainOnDelete: request.getRetainondelete(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      replaceOnChanges: request.getReplaceonchangesList(),
      ignoreChanges: request.getIgnorechangesList(),
      additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    },
  };
}

/** A copy with every secret value replaced. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[SECRET.key] === SECRET.signature) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner)]));
}

interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getReplaceonchangesList(): string[];
  getIgnorechangesList(): string[];
  getAdditionalsecretoutputsList(): string[];
}

type Callback<T> = (error: unknown, response: T) => void;

interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback<{ getUrn(): string } | undefined>): unknown;
  registerResourceHook?: (request: unknown, callback: Callback<object>) => void;
  registerErrorHook?: (request: unknown, callback: Callback<object>) => void;
}
