import { spawn } from "node:child_process";
import * as path from "node:path";
import { pulumiCli } from "./pulumi-cli";
import { folderOnPath } from "./pulumi-program";
import { foreground } from "./runs";

/** The folder of the project, from which every path here starts. */
export const PROJECT = path.join(__dirname, "..");
/** What this machine knows of its stacks: never committed, mode 0700. */
export const STATE = path.join(PROJECT, ".state");

/** What deploys a stack: the Pulumi CLI where it is installed, else the local engine. Both take the same verbs. */
export interface Engine {
  readonly name: "pulumi" | "local-engine";
  /** Makes what the engine needs before its first verb; safe to repeat. `run` and `outputs` do it themselves. */
  prepare(): Promise<void>;
  /** What is started for a verb, for callers that want its output or its end in their own hands. */
  invocation(verb: readonly string[]): Invocation;
  /** Runs a verb in the foreground and resolves with its exit code. */
  run(verb: readonly string[]): Promise<number>;
  /** The stack's outputs, with secrets in clear. */
  outputs(): Promise<Outputs>;
}

export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Is there a program of that name? */
export const onPath = (program: string): boolean => folderOnPath(program) !== undefined;

/** Where a stack's settings and its state lie, and what deploys it. */
export interface StackOptions {
  /** Default: what POSTGRES_CLUSTER_ENGINE says, else the CLI where it is on PATH. */
  readonly engine?: Engine["name"];
  /** Default `Pulumi.<stack>.yaml` of the project. */
  readonly settings?: string;
  /** Default `.state` of the project. */
  readonly state?: string;
}

export type StackFiles = Required<Omit<StackOptions, "engine">>;

export function engineFor(stack: string, options: StackOptions = {}): Engine {
  const { settings = path.join(PROJECT, `Pulumi.${stack}.yaml`), state = STATE } = options;
  const wanted = options.engine ?? process.env["POSTGRES_CLUSTER_ENGINE"];
  const local = wanted === "local-engine" || (wanted === undefined && !onPath("pulumi"));
  return (local ? localEngine : pulumiCli)(stack, { settings, state });
}

/**
 * Programs that start Node must find the one that the project brings, not the system's older one; and the processes that an engine
 * starts need not load all that the SDK names.
 */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const lazy = `--require ${JSON.stringify(path.join(PROJECT, "scripts/lazy-modules.js"))}`;
  return {
    ...process.env,
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], lazy].filter(Boolean).join(" "),
    PATH: `${path.join(PROJECT, "node_modules/.bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
    ...extra,
  };
}

/** Where runs are recorded while they last. */
export const runsIn = (state: string): string => path.join(state, "runs");

/** A passphrase of this machine's own (made by scripts/setup.sh), unless the user has one. */
export function passphrase(): NodeJS.ProcessEnv {
  const given = process.env["PULUMI_CONFIG_PASSPHRASE"] ?? process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  return given === undefined ? { PULUMI_CONFIG_PASSPHRASE_FILE: path.join(STATE, "passphrase") } : {};
}

function localEngine(stack: string, { settings, state }: StackFiles): Engine {
  const env = environment({ ...passphrase(), LOCAL_ENGINE_STATE_DIR: path.join(state, "local-engine") });
  const invocation = ([verb = "", ...options]: readonly string[]): Invocation => ({
    program: process.execPath,
    args: [
      path.join(PROJECT, "local-engine/bin.js"),
      ...[verb, "--stack", stack, "--cwd", PROJECT, "--config-file", settings],
      ...options,
    ],
    env,
  });
  return {
    name: "local-engine",
    prepare: () => Promise.resolve(),
    invocation,
    run: (verb) => foreground({ stack, verb: verb.join(" "), folder: runsIn(state) }, invocation(verb)),
    outputs: async () =>
      JSON.parse(await captured(invocation(["outputs", "--json", "--show-secrets"]))) as Outputs,
  };
}

export type Outputs = Readonly<Record<string, unknown>>;

/** Runs a program and resolves with what it printed; rejects with its error output when it fails. */
export function capture(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = environment(),
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env, cwd: PROJECT });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else
        reject(
          new Error(
            `${program} ${args[0] ?? ""} failed (${code ?? "killed"}): ${Buffer.concat(err).toString().trim()}`,
          ),
        );
    });
  });
}

export const captured = ({ program, args, env }: Invocation): Promise<string> => capture(program, args, env);
