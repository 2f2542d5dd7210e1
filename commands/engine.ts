import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";

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

const onPath = (program: string): boolean =>
  (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .some((folder) => fs.existsSync(path.join(folder, program)));

/** Where a stack's settings and its state lie. */
export interface StackFiles {
  /** Default `Pulumi.<stack>.yaml` of the project. */
  readonly settings?: string;
  /** Default `.state` of the project. */
  readonly state?: string;
}

/** `POSTGRES_CLUSTER_ENGINE` chooses one explicitly (`pulumi` or `local-engine`). */
export function engineFor(stack: string, files: StackFiles = {}): Engine {
  const { settings = path.join(PROJECT, `Pulumi.${stack}.yaml`), state = STATE } = files;
  const wanted = process.env["POSTGRES_CLUSTER_ENGINE"];
  const local = wanted === "local-engine" || (wanted === undefined && !onPath("pulumi"));
  return (local ? localEngine : pulumiCli)(stack, { settings, state });
}

/** Programs that start Node must find the one that the project brings, not the system's older one. */
function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${path.join(PROJECT, "node_modules/.bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
    // The program is type-checked by `make test`; doing it again costs every preview seconds.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...extra,
  };
}

/** A passphrase of this machine's own (made by scripts/setup.sh), unless the user has one. */
function passphrase(): NodeJS.ProcessEnv {
  const given = process.env["PULUMI_CONFIG_PASSPHRASE"] ?? process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  return given === undefined ? { PULUMI_CONFIG_PASSPHRASE_FILE: path.join(STATE, "passphrase") } : {};
}

function localEngine(stack: string, { settings, state }: Required<StackFiles>): Engine {
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
    run: (verb) => foreground(invocation(verb)),
    outputs: async () =>
      JSON.parse(await captured(invocation(["outputs", "--json", "--show-secrets"]))) as Outputs,
  };
}

function pulumiCli(stack: string, { settings, state }: Required<StackFiles>): Engine {
  const own = !userHasBackend();
  const configFile = own ? path.join(state, `Pulumi.${stack}.yaml`) : settings;
  const backend = path.join(state, "pulumi");
  const env = environment({
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(own ? { ...passphrase(), PULUMI_BACKEND_URL: `file://${backend}` } : {}),
  });
  const invocation = (verb: readonly string[]): Invocation => ({
    program: "pulumi",
    args: [...verb, "--stack", stack, "--config-file", configFile, "--cwd", PROJECT],
    env,
  });
  const prepare = async (): Promise<void> => {
    if (own) {
      fs.mkdirSync(backend, { recursive: true, mode: 0o700 });
      copySettings(settings, configFile);
    }
    // Fails while the backend has no stack at all, which is the same as not having this one.
    const known = await capture("pulumi", ["stack", "ls", "--json", "--cwd", PROJECT], env).catch(() => "[]");
    const names = (JSON.parse(known) as { name: string }[]).map((entry) => entry.name);
    if (names.some((name) => name === stack || name.endsWith(`/${stack}`))) return;
    await captured(invocation(["stack", "init", "--no-select"]));
  };
  return {
    name: "pulumi",
    prepare,
    invocation,
    run: async (verb) => {
      await prepare();
      return foreground(invocation(verb));
    },
    outputs: async () => {
      await prepare();
      return JSON.parse(
        await captured(invocation(["stack", "output", "--json", "--show-secrets"])),
      ) as Outputs;
    },
  };
}

type Outputs = Readonly<Record<string, unknown>>;

/** Has the user logged in somewhere, or named a backend? Then it is used, with the user's own secrets provider. */
function userHasBackend(): boolean {
  if (process.env["PULUMI_BACKEND_URL"] || process.env["PULUMI_ACCESS_TOKEN"]) return true;
  const home = process.env["PULUMI_HOME"] ?? path.join(process.env["HOME"] ?? "/root", ".pulumi");
  try {
    const credentials = JSON.parse(fs.readFileSync(path.join(home, "credentials.json"), "utf8")) as {
      current?: string;
    };
    return Boolean(credentials.current);
  } catch {
    return false;
  }
}

/**
 * With a backend of this machine's own, the CLI would write the salt of this machine's passphrase into the tracked
 * Pulumi.<stack>.yaml. So it works on a copy that keeps the salt.
 */
function copySettings(file: string, copy: string): void {
  const settings = parseDocument(fs.readFileSync(file, "utf8"));
  if (fs.existsSync(copy)) {
    const salt = parseDocument(fs.readFileSync(copy, "utf8")).get("encryptionsalt");
    if (salt !== undefined && !settings.has("encryptionsalt")) settings.set("encryptionsalt", salt);
  }
  fs.writeFileSync(copy, settings.toString(), { mode: 0o600 });
}

function foreground({ program, args, env }: Invocation): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: "inherit", env, cwd: PROJECT });
    // The terminal sends an interrupt to both; the engine stops in order, and this process waits for it.
    const ignore = (): void => {};
    process.on("SIGINT", ignore);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", ignore);
      resolve(code ?? (signal ? 130 : 1));
    });
  });
}

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

const captured = ({ program, args, env }: Invocation): Promise<string> => capture(program, args, env);
