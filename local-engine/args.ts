// The command line, in the words of the Pulumi CLI.

import { parseArgs } from "node:util";
import { Fault } from "./fault";

export type Verb = "preview" | "up" | "refresh" | "destroy" | "outputs" | "export" | "unprotect";

export interface Options {
  readonly verb: Verb;
  readonly stack: string;
  readonly cwd: string;
  readonly configFile: string | undefined;
  readonly parallel: number;
  readonly yes: boolean;
  readonly refresh: boolean;
  readonly expectNoChanges: boolean;
  readonly json: boolean;
  readonly showSecrets: boolean;
  readonly excludeProtected: boolean;
}

export const USAGE = `usage: local-engine <verb> --stack <name> [options]

  preview                  show what an update would do
  up                       make the stack what the program says
  refresh                  make the state say what is really there
  destroy                  delete everything in the stack
  outputs (stack output)   print the stack's outputs
  state unprotect --all    let a destroy delete protected resources too
  stack export             print the state in Pulumi's format, for \`pulumi stack import\`

  -s, --stack <name>       the stack (required)
  -C, --cwd <folder>       where the project is (default: here)
  --config-file <file>     the stack's settings (default: Pulumi.<stack>.yaml)
  -p, --parallel <n>       how many steps at once (default 16)
  -y, --yes                do not ask (this engine never does; accepted for the CLI's sake)
  -r, --refresh            preview, up: look at what is really there first
  --expect-no-changes      fail if anything changes or would change
  --exclude-protected      destroy: leave protected resources, and what they stand on, in the state
  -j, --json               print one JSON object: outputs, or the counts of what was done
  --show-secrets           outputs, export: with secrets in clear text

environment: PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, DOCKER_HOST,
             LOCAL_ENGINE_STATE_DIR (default: .state/local-engine in the project)
`;

const VERBS: Record<string, Verb> = {
  preview: "preview",
  up: "up",
  update: "up",
  refresh: "refresh",
  destroy: "destroy",
  outputs: "outputs",
  "stack output": "outputs",
  "stack export": "export",
  "state unprotect": "unprotect",
};

export function parseCommandLine(args: readonly string[]): Options | undefined {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        stack: { type: "string", short: "s" },
        cwd: { type: "string", short: "C", default: "." },
        "config-file": { type: "string" },
        parallel: { type: "string", short: "p", default: "16" },
        yes: { type: "boolean", short: "y", default: false },
        refresh: { type: "boolean", short: "r", default: false },
        "expect-no-changes": { type: "boolean", default: false },
        json: { type: "boolean", short: "j", default: false },
        "show-secrets": { type: "boolean", default: false },
        "exclude-protected": { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        diff: { type: "boolean", default: false },
        "skip-preview": { type: "boolean", short: "f", default: false },
        "non-interactive": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new Fault(`${(error as Error).message}\n\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  const verb = VERBS[positionals.join(" ")];
  if (verb === undefined)
    throw new Fault(
      `${positionals.length === 0 ? "a verb is missing" : `unknown verb: ${positionals.join(" ")}`}\n\n${USAGE}`,
    );
  if (verb === "unprotect" && !values.all)
    throw new Fault(`state unprotect needs --all: single resources are for the Pulumi CLI\n\n${USAGE}`);
  if (values.stack === undefined) throw new Fault(`--stack is missing\n\n${USAGE}`);
  const parallel = Number(values.parallel);
  if (!Number.isInteger(parallel) || parallel < 1)
    throw new Fault(`--parallel ${values.parallel}: a whole number above 0 is needed`);
  return {
    verb,
    stack: values.stack,
    cwd: values.cwd,
    configFile: values["config-file"],
    parallel,
    yes: values.yes,
    refresh: values.refresh,
    expectNoChanges: values["expect-no-changes"],
    json: values.json,
    showSecrets: values["show-secrets"],
    excludeProtected: values["exclude-protected"],
  };
}
