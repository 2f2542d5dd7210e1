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

/** The verbs that read the stack's settings; only these take `--config-file`. */
const READS_SETTINGS = ["preview", "up", "refresh", "destroy"];
/** The verbs that show a preview first, and ask. */
const CHANGES = ["up", "refresh", "destroy"];

/** Where a stack's settings and its state lie. */
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
   * Makes what the CLI needs before a verb, and settles what a killed run has left in the way of one that changes something; safe to
   * repeat. `run` and `outputs` do it themselves.
   */
  prepare(verb?: string): Promise<void>;
  /** What is started for a verb, for callers that want its output or its end in their own hands. */
  invocation(verb: readonly string[]): Invocation;
  /** Runs a verb in the foreground and resolves with its exit code. */
  run(verb: readonly string[]): Promise<number>;
  /** The stack's outputs, with secrets in clear. */
  outputs(): Promise<Outputs>;
  /** A setting, as the CLI reads it: a secret in clear. */
  setting(key: string): Promise<string>;
}

/**
 * The Pulumi CLI, with the user's backend if there is one, else with one in this machine's state folder. There it must not write the
 * salt of this machine's passphrase into the tracked Pulumi.<stack>.yaml, so it works on a copy that keeps the salt.
 */
export function pulumiCli(stack: string, files: StackFiles = {}): PulumiCli {
  const { settings = path.join(PROJECT, `Pulumi.${stack}.yaml`), state = STATE } = files;
  const own = !userHasBackend();
  const backend = path.join(state, "pulumi");
  // `stack init` takes no --config-file and writes the salt beside the Pulumi.yaml that it finds.
  const project = own ? path.join(backend, "project") : PROJECT;
  const configFile = own ? path.join(project, `Pulumi.${stack}.yaml`) : settings;
  const cli = pulumiProgram();
  const home = process.env["PULUMI_HOME"] ?? path.join(state, "pulumi-home");
  const ours = cli !== undefined && !cli.hasPlugins;
  const env = environment({
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(own ? { ...passphraseVariables(), PULUMI_BACKEND_URL: `file://${backend}` } : {}),
    // What is not laid out cannot be had here: the CLI would look for it in vain for minutes.
    ...(ours ? { PULUMI_HOME: home, PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
  });
  if (cli?.folder !== undefined) env["PATH"] = `${cli.folder}${path.delimiter}${env["PATH"]}`;
  // Who has said yes in advance sees the changes as they are made; the CLI would otherwise run the whole program twice.
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
  /** What the backend has of the stack; undefined where it knows none of that name. */
  const exported = async (): Promise<Exported | undefined> => {
    try {
      return JSON.parse(await asked(inProject(["stack", "export"], project))) as Exported;
    } catch (error) {
      if (/no stack named/.test(String(error))) return undefined;
      throw error;
    }
  };
  const takeOver = async (former: FormerState): Promise<void> => {
    const found = `the local engine has ${former.resources} resources of the stack ${stack} (${former.file})`;
    if (!own)
      throw new CommandError(
        `${found}, and the backend that you are logged in to has none. After 'pulumi logout' make takes them over into a backend of its own, from which 'pulumi stack export' and 'pulumi stack import' move them to any other. Nothing was changed.`,
      );
    console.error(`${found}: the Pulumi CLI takes them over; the file is kept, as ….taken-over`);
    await asked(inProject(["stack", "import", "--file", former.file], project));
    setAside(former);
  };
  const prepare = async (verb = ""): Promise<void> => {
    if (cli === undefined) {
      throw new CommandError(
        `no pulumi on PATH, and none that tools/pulumi has got: 'tools/pulumi/pulumi.sh install' gets it, or install it (https://www.pulumi.com/docs/install/)`,
      );
    }
    if (ours) layOutPlugins(home);
    if (own) {
      fs.mkdirSync(project, { recursive: true, mode: 0o700 });
      fs.copyFileSync(path.join(PROJECT, "Pulumi.yaml"), path.join(project, "Pulumi.yaml"));
    }
    // The one that tools/pulumi has got is new enough.
    if (cli.folder === undefined) await refuseOld(env);
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
          `the local engine has a state of the stack ${stack}, too (${former.resources} resources, ${former.file}), and it is not used, since the Pulumi CLI has ${resources}. ` +
            "Rename the file if those are the cluster's; if the file's are ('belongs to the stack' says so), take the CLI's away with 'pulumi stack rm --force --preserve-config': it then takes the file's over",
        );
    }
    if (CHANGES.includes(verb)) await settlePending(known, verb, (args) => asked(invocation(args)));
  };
  return {
    prepare,
    invocation,
    run: async (verb) => {
      const folder = path.join(state, "runs");
      // First, since the lock of a run that is ended here is then one of nobody.
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

/** The salt that a stack's settings have, once something has been encrypted. */
function saltOf(file: string): string | undefined {
  if (!fs.existsSync(file)) return undefined;
  const salt = parseDocument(fs.readFileSync(file, "utf8")).get("encryptionsalt");
  return typeof salt === "string" ? salt : undefined;
}

/** Fails for a CLI that is older than Pulumi.yaml asks for; those that know what stands there say it themselves, others ignore it. */
async function refuseOld(env: NodeJS.ProcessEnv): Promise<void> {
  const required = parseDocument(fs.readFileSync(path.join(PROJECT, "Pulumi.yaml"), "utf8")).get(
    "requiredPulumiVersion",
  );
  const oldest = String(required).replace(">=", "");
  const found = (await asked({ program: "pulumi", args: ["version"], env })).trim();
  const older = found.replace(/^v/, "").localeCompare(oldest, "en", { numeric: true }) < 0;
  if (/^v\d/.test(found) && older)
    throw new CommandError(
      `the pulumi on PATH (${path.join(folderOnPath("pulumi") ?? "", "pulumi")}) is ${found}, and requiredPulumiVersion of Pulumi.yaml is ${oldest} or newer: ` +
        "update it (https://www.pulumi.com/docs/install/), or take it off PATH: 'make up' then gets one of its own",
    );
}

/** The ways out that the CLI does not name, by what it says. */
const WAYS_OUT: readonly [RegExp, string][] = [
  [
    /PULUMI_ACCESS_TOKEN must be set/,
    "you are not logged in to that backend: 'pulumi login', or PULUMI_ACCESS_TOKEN; without PULUMI_BACKEND_URL and after 'pulumi logout' make uses a backend of its own",
  ],
  [
    /unable to open (state directory|bucket)|read "\.pulumi\/meta\.yaml"/,
    "the backend cannot be reached: see PULUMI_BACKEND_URL, or 'pulumi whoami --verbose'; without it and after 'pulumi logout' make uses a backend of its own",
  ],
  [
    /passphrase must be set/,
    "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase of the stack's secrets",
  ],
];

/** What the CLI answers; where it fails, its words with the way out. */
async function asked(invocation: Invocation): Promise<string> {
  try {
    return await captured(invocation);
  } catch (error) {
    const { message } = error as Error;
    const wayOut = WAYS_OUT.find(([pattern]) => pattern.test(message))?.[1];
    throw new CommandError(wayOut === undefined ? message : `${message}\n  -> ${wayOut}`);
  }
}

/** Has the user logged in somewhere, or named a backend? Then it is used, with the user's own secrets provider. */
function userHasBackend(): boolean {
  if (process.env["PULUMI_BACKEND_URL"] || process.env["PULUMI_ACCESS_TOKEN"]) return true;
  try {
    // The CLI asks the system for the user's home, whatever HOME says.
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
 * Whether a run of this machine that was killed left its lock on the stack: every later one would refuse until somebody cancels it.
 * A lock of a process that lives, or of another machine, is left alone.
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

/** The settings as they are tracked, with the salt that the copy has. */
function copySettings(file: string, copy: string): void {
  const settings = parseDocument(fs.readFileSync(file, "utf8"));
  const salt = saltOf(copy);
  if (salt !== undefined && !settings.has("encryptionsalt")) settings.set("encryptionsalt", salt);
  fs.writeFileSync(copy, settings.toString(), { mode: 0o600 });
}
