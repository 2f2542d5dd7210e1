// The command: reads the project and its state, runs one verb, reports.

import { join } from "node:path";
import { type Options, parseCommandLine, USAGE } from "./args";
import { Fault } from "./fault";
import { lockStack } from "./lock";
import { coverSecrets } from "./display";
import { isObject, type Properties, type Value } from "./properties";
import { readProject, readStackSettings, resolveConfig, needsCli } from "./project";
import { Crypter, readPassphrase, reveal } from "./secrets";
import { readState, Snapshot } from "./state";
import { parseUrn, STACK_TYPE } from "./urn";

const loadRun = () => require("./run") as typeof import("./run");

async function main(args: readonly string[]): Promise<number> {
  const options = parseCommandLine(args);
  if (options === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const project = readProject(options.cwd);
  const settings = readStackSettings(project, options.stack, options.configFile);
  if (needsCli(project, settings) && !process.env.LOCAL_ENGINE_PROVIDERS) {
    throw new Fault(
      `the stack ${options.stack} is a production stack on Kubernetes; the local engine runs Docker stacks only. Install the Pulumi CLI (https://www.pulumi.com/docs/install/) and run: pulumi ${options.verb} --stack ${options.stack}`,
    );
  }
  const folder = process.env.LOCAL_ENGINE_STATE_DIR || join(project.root, ".state", "local-engine");
  const file = join(folder, `${options.stack}.json`);
  const changes = ["up", "refresh", "destroy", "unprotect"].includes(options.verb);
  const unlock = changes
    ? lockStack(join(folder, `${options.stack}.lock`), `${options.verb} --stack ${options.stack}`)
    : undefined;
  try {
    const stored = readState(file);
    if (stored === undefined && (options.verb === "outputs" || options.verb === "export")) {
      throw new Fault(`the stack ${options.stack} has no state yet (${file}): run up first`);
    }
    const foreign = stored?.deployment.resources?.find(
      ({ urn }) => parseUrn(urn).project !== project.name || parseUrn(urn).stack !== options.stack,
    );
    if (foreign !== undefined)
      throw new Fault(`the state ${file} is of another project or stack: it holds ${foreign.urn}`);
    const passphrase = readPassphrase(process.env);
    const salt = stored?.deployment.secrets_providers?.state.salt ?? settings.encryptionSalt;
    const opening = salt === undefined ? Crypter.create(passphrase) : Crypter.open(passphrase, salt);
    // A key is derived slowly, on purpose, and in another thread: what a run needs is loaded meanwhile.
    if (!["outputs", "export", "unprotect"].includes(options.verb)) loadRun();
    const crypter = await opening;
    const snapshot = new Snapshot(stored, crypter, changes ? file : undefined);
    if (options.verb === "outputs" || options.verb === "export") return print(options, snapshot);
    if (options.verb === "unprotect") {
      for (const each of snapshot.resources()) {
        if (each.protect === true) snapshot.substitute(each, { ...each, protect: undefined });
      }
      await snapshot.flush();
      return 0;
    }
    // The settings file may have been encrypted by the CLI under another salt than the state.
    const configCrypter =
      settings.encryptionSalt === undefined || settings.encryptionSalt === salt
        ? crypter
        : await Crypter.open(passphrase, settings.encryptionSalt);
    return await loadRun().run({
      options,
      project,
      config: resolveConfig(project, settings, configCrypter),
      snapshot,
    });
  } finally {
    unlock?.();
  }
}

function print(options: Options, snapshot: Snapshot): number {
  if (options.verb === "export") {
    const exported = options.showSecrets
      ? {
          ...snapshot.export(),
          deployment: {
            ...snapshot.export().deployment,
            resources: snapshot.resources().map((each) => reveal(each as unknown as Value)),
          },
        }
      : snapshot.export();
    process.stdout.write(`${JSON.stringify(exported, null, 4)}\n`);
    return 0;
  }
  const outputs: Properties = snapshot.resources().find((each) => each.type === STACK_TYPE)?.outputs ?? {};
  const shown = coverSecrets(outputs, options.showSecrets);
  if (options.json) process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  else
    for (const [key, value] of Object.entries(isObject(shown) ? shown : {}))
      process.stdout.write(`${key}\t${plain(value)}\n`);
  return 0;
}

const plain = (value: Value): string => (typeof value === "string" ? value : JSON.stringify(value));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `error: ${error instanceof Fault ? error.message : ((error as Error).stack ?? String(error))}\n`,
    );
    process.exitCode = 1;
  },
);
