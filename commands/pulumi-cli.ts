import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { CommandError } from "./command-error";
import { formerState, type FormerState, setAside } from "./former-state";
import { passphraseProblem, passphraseVariables } from "./passphrase";
import { type Exported, settlePending } from "./pending";
import { startOf } from "./processes";
import { captured, environment, folderOnPath, type Invocation, PROJECT, STATE } from "./programs";
import { layOutPlugins, pulumiProgram } from "./pulumi-program";
import { endLeftovers, foreground } from "./runs";
import { make } from "./stack";

/** Verbs that read the stack's settings. Only these accept `--config-file`. */
const READS_SETTINGS = ["preview", "up", "refresh", "destroy"];
/** Verbs that first show a preview and ask for confirmation. */
const CHANGES = ["up", "refresh", "destroy"];

/** The paths of a stack's settings and state. */
export interface StackFiles {
  /** Default `Pulumi.<stack>.yaml` of the project. */
  readonly settings?: string;
  /** Default `.state` of the project. */
  readonly state?: string;
}

export type Outputs = Readonly<Record<string, unknown>>;

/** The Pulumi CLI, for one stack. */
export interface PulumiCli {
  /**
   * Prepares what the CLI needs for a verb. Before a verb that changes something, it also clears what a killed run has left. Idempotent;
   * `run` and `outputs` call it themselves.
   */
  prepare(verb?: string): Promise<void>;
  /** The program to start for a verb, for callers that run it themselves. */
  invocation(verb: readonly string[]): Invocation;
  /** Runs a verb in the foreground and resolves with its exit code. */
  run(verb: readonly string[]): Promise<number>;
  /** The stack's outputs, with secrets in plain text. */
  outputs(): Promise<Outputs>;
  /** A setting as the CLI reads it; a secret in plain text. */
  setting(key: string): Promise<string>;
}

/**
 * The Pulumi CLI, with the user's backend if there is one, else with a backend in the state folder. In the latter case it must not write
 * the salt of this machine's passphrase into the tracked Pulumi.<stack>.yaml, so it works on a copy that keeps the salt.
 */
export function pulumiCli(stack: string, files: StackFiles = {}): PulumiCli {
  const { settings = path.join(PROJECT, `Pulumi.${stack}.yaml`), state = STATE } = files;
  const own = !userHasBackend();
  const backend = path.join(state, "pulumi");
  // `stack init` has no --config-file and writes the salt beside the Pulumi.yaml that it finds.
  const project = own ? path.join(backend, "project") : PROJECT;
  const configFile = own ? path.join(project, `Pulumi.${stack}.yaml`) : settings;
  const cli = pulumiProgram();
  const home = process.env["PULUMI_HOME"] ?? path.join(state, "pulumi-home");
  const ours = cli !== undefined && !cli.hasPlugins;
  const env = environment({
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(own ? { ...passphraseVariables(), PULUMI_BACKEND_URL: `file://${backend}` } : {}),
    // Plugins that are not installed cannot be downloaded here: the CLI would try for minutes.
    ...(ours ? { PULUMI_HOME: home, PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
  });
  if (cli?.folder !== undefined) env["PATH"] = `${cli.folder}${path.delimiter}${env["PATH"]}`;
  // With --yes nobody reads the preview, for which the CLI would run the whole program a second time.
  const unasked = (verb: readonly string[]): readonly string[] =>
    verb.includes("--yes") && CHANGES.includes(verb[0] ?? "") ? [...verb, "--skip-preview"] : verb;
  const inProject = (verb: readonly string[], cwd: string): Invocation => ({
    program: "pulumi",
    args: [...unasked(verb), "--stack", stack, "--cwd", cwd],
    env,
  });
  const invocation = (verb: readonly string[]): Invocation =>
    inProject(
      READS_SETTINGS.includes(verb[0] ?? "") ? [...verb, "--config-file", configFile] : verb,
      PROJECT,
    );
  /** The stack's state in the backend; undefined if the backend has no such stack. */
  const exported = async (): Promise<Exported | undefined> => {
    try {
      return JSON.parse(await asked(inProject(["stack", "export"], project))) as Exported;
    } catch (error) {
      if (/no stack named/.test(String(error))) return undefined;
      throw error;
    }
  };
  const takeOver = async (former: FormerState): Promise<void> => {
    const found = `the former local engine has ${former.resources} resources of the stack ${stack} (${former.file})`;
    if (!own)
      throw new CommandError(
        `${found}, and the backend that you are logged in to has none. Run 'pulumi logout' and then make again: it imports them into the project's own backend, from which 'pulumi stack export' and 'pulumi stack import' move them to any other. Nothing was changed.`,
      );
    console.error(`${found}: importing them into the Pulumi CLI's backend; the file is kept as ….taken-over`);
    await asked(inProject(["stack", "import", "--file", former.file], project));
    setAside(former);
  };
  const prepare = async (verb = ""): Promise<void> => {
    if (cli === undefined) {
      throw new CommandError(
        `pulumi is not on PATH, and tools/pulumi has not installed it: run 'tools/pulumi/pulumi.sh install', or install it yourself (https://www.pulumi.com/docs/install/)`,
      );
    }
    if (ours) layOutPlugins(home);
    if (own) {
      fs.mkdirSync(project, { recursive: true, mode: 0o700 });
      fs.copyFileSync(path.join(PROJECT, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
    }
    // The one that tools/pulumi installs is new enough.
    if (cli.folder === undefined) await refuseOld(stack, env);
    const known = await exported();
    if (known === undefined) await asked(inProject(["stack", "init", "--no-select"], project));
    if (own) {
      copySettings(settings, configFile);
      if (hasDeadLock(backend, stack)) await asked(invocation(["cancel", "--yes"]));
    }
    const former = formerState(stack, state);
    if (former !== undefined) {
      const resources = (known?.deployment?.resources ?? []).length;
      if (resources === 0) await takeOver(former);
      else if (READS_SETTINGS.includes(verb))
        console.error(
          `the former local engine also has a state of the stack ${stack} (${former.resources} resources, ${former.file}). It is ignored, because the Pulumi CLI's backend has ${resources}. ` +
            "If the backend's resources are the cluster's, rename the file. If the file's are (an error 'belongs to the stack' shows it), run 'pulumi stack rm --force --preserve-config': the next run then imports the file",
        );
    }
    if (CHANGES.includes(verb))
      await settlePending(known, verb, { name: stack }, (args) => asked(invocation(args)));
  };
  return {
    prepare,
    invocation,
    run: async (verb) => {
      const folder = path.join(state, "runs");
      // First: the lock of a run that is ended here then counts as a dead one.
      await endLeftovers({ stack, folder });
      await prepare(verb[0]);
      const code = await foreground({ stack, verb: verb.join(" "), folder }, invocation(verb));
      const problem = code === 0 ? undefined : await passphraseProblem(saltOf(configFile), env);
      if (problem !== undefined) throw new CommandError(problem);
      return code;
    },
    outputs: async () => {
      await prepare();
      return JSON.parse(await asked(invocation(["stack", "output", "--json", "--show-secrets"]))) as Outputs;
    },
    setting: async (key) => {
      await prepare();
      const get = ["config", "get", key, "--config-file", configFile];
      return (await asked(invocation(get))).trimEnd();
    },
  };
}

/** The salt in a stack's settings; undefined until something has been encrypted. */
function saltOf(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  const salt = parseDocument(fs.readFileSync(file, "utf8")).get("encryptionsalt");
  return typeof salt === "string" ? salt : undefined;
}

/** Throws if the CLI is older than `requiredPulumiVersion`, which very old versions ignore. */
async function refuseOld(stack: string, env: NodeJS.ProcessEnv): Promise<void> {
  const required = parseDocument(fs.readFileSync(path.join(PROJECT, "Pulumi.yaml"), "utf8")).get(
    "requiredPulumiVersion",
  );
  const oldest = String(required).replace(">=", "");
  const found = (await asked({ program: "pulumi", args: ["version"], env })).trim();
  const older = found.replace(/^v/, "").localeCompare(oldest, "en", { numeric: true }) < 0;
  if (/^v\d/.test(found) && older)
    throw new CommandError(
      `the pulumi on PATH (${path.join(folderOnPath("pulumi") ?? "", "pulumi")}) is ${found}, but requiredPulumiVersion in Pulumi.yaml is ${oldest} or newer: ` +
        `update it (https://www.pulumi.com/docs/install/), or remove it from PATH: ${make({ name: stack }, "up")} then installs one in the project`,
    );
}

/** Remedies that the CLI does not mention, by its error message. */
const WAYS_OUT: readonly [RegExp, string][] = [
  [
    /PULUMI_ACCESS_TOKEN must be set/,
    "you are not logged in to that backend: run 'pulumi login', or set PULUMI_ACCESS_TOKEN. To use the project's own backend, unset PULUMI_BACKEND_URL and run 'pulumi logout'",
  ],
  [
    /unable to open (state directory|bucket)|read "\.pulumi\/meta\.yaml"/,
    "the backend cannot be reached: check PULUMI_BACKEND_URL, or 'pulumi whoami --verbose'. To use the project's own backend, unset PULUMI_BACKEND_URL and run 'pulumi logout'",
  ],
  [
    /passphrase must be set/,
    "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase of the stack's secrets",
  ],
];

/** Runs the CLI and resolves with its output; rejects with its error message and the remedy. */
async function asked(invocation: Invocation): Promise<string> {
  try {
    return await captured(invocation);
  } catch (error) {
    const { message } = error as Error;
    const wayOut = WAYS_OUT.find(([pattern]) => pattern.test(message))?.[1];
    throw new CommandError(wayOut === undefined ? message : `${message}\n  -> ${wayOut}`);
  }
}

/** Whether the user has logged in to or named a backend. It is then used, with the user's own secrets provider. */
function userHasBackend(): boolean {
  if (process.env["PULUMI_BACKEND_URL"] || process.env["PULUMI_ACCESS_TOKEN"]) return true;
  try {
    // The CLI ignores HOME and asks the system for the user's home directory.
    const home = process.env["PULUMI_HOME"] ?? path.join(os.userInfo().homedir, ".pulumi");
    const credentials = JSON.parse(fs.readFileSync(path.join(home, "credentials.json"), "utf8")) as {
      current?: string;
    };
    return Boolean(credentials.current);
  } catch {
    return false;
  }
}

/**
 * Whether a killed run on this machine has left its lock on the stack, which would block every later run until `pulumi cancel`. Locks of
 * live processes and of other machines do not count.
 */
export function hasDeadLock(backend: string, stack: string): boolean {
  const locks = path.join(backend, ".pulumi/locks");
  if (!fs.existsSync(locks)) return false;
  return fs
    .readdirSync(locks, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json") && path.basename(path.dirname(name)) === stack)
    .some((name) => {
      const lock = JSON.parse(fs.readFileSync(path.join(locks, name), "utf8")) as {
        pid: number;
        hostname: string;
      };
      return lock.hostname === os.hostname() && startOf(lock.pid) === undefined;
    });
}

/** Copies the tracked settings and keeps the copy's salt. */
function copySettings(file: string, copy: string): void {
  const settings = parseDocument(fs.readFileSync(file, "utf8"));
  const salt = saltOf(copy);
  if (salt !== undefined && !settings.has("encryptionsalt")) settings.set("encryptionsalt", salt);
  fs.writeFileSync(copy, settings.toString(), { mode: 0o600 });
}
