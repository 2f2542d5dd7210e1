import { execFileSync, type StdioOptions } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import { folderOnPath, PROJECT } from "./programs";

const PLUGINS = path.join(PROJECT, "plugins/bin");
const TOOL = path.join(PROJECT, "tools/pulumi/pulumi.sh");

/** The CLI to use, and what it needs in its environment. */
export interface PulumiProgram {
  /** To prepend to PATH; undefined if the user's own CLI is on PATH. */
  readonly folder: string | undefined;
  /** Whether the vendor's plugins come with it. If not, ours are linked into its plugin folder. */
  readonly hasPlugins: boolean;
}

/** The user's CLI, which takes precedence, or the one installed by tools/pulumi; undefined if there is neither. */
export function pulumiProgram(): PulumiProgram | undefined {
  const users = folderOnPath("pulumi");
  const folder = users ?? installed("folder");
  if (folder === undefined) return undefined;
  // In releases the language hosts are beside the CLI, which itself may be a link.
  const real = path.dirname(fs.realpathSync(path.join(folder, "pulumi")));
  const hasPlugins =
    fs.existsSync(path.join(real, "pulumi-language-nodejs")) ||
    folderOnPath("pulumi-language-nodejs") !== undefined;
  return { folder: users === undefined ? folder : undefined, hasPlugins };
}

function installed(what: "folder" | "provider"): string | undefined {
  try {
    const stdio = ["ignore", "pipe", "ignore"] satisfies StdioOptions;
    return execFileSync(TOOL, [what], { encoding: "utf8", stdio, env: process.env }).trim();
  } catch {
    return undefined;
  }
}

/** The version of the SDK's package: an SDK requests the plugin with its own version. */
function versionOf(packageName: string): string {
  const file = path.join(PROJECT, "node_modules", packageName, "package.json");
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

/** Links our plugins into the plugin folder of the CLI's home; idempotent. */
export function layOutPlugins(home: string): void {
  const lay = (kind: "language" | "resource", name: string, packageName: string, folder: string): void => {
    const program = `pulumi-${kind}-${name}`;
    const place = path.join(home, "plugins", `${kind}-${name}-v${versionOf(packageName)}`);
    fs.mkdirSync(place, { recursive: true, mode: 0o700 });
    linkTo(path.join(folder, program), path.join(place, program));
  };
  lay("language", "nodejs", "@pulumi/pulumi", PLUGINS);
  lay("resource", "pulumi-nodejs", "@pulumi/pulumi", PLUGINS);
  lay("resource", "docker", "@pulumi/docker", PLUGINS);
  lay("resource", "random", "@pulumi/random", PLUGINS);
  const kubernetes = installed("provider");
  if (kubernetes !== undefined) lay("resource", "kubernetes", "@pulumi/kubernetes", kubernetes);
}

/** Creates or replaces a link, atomically, because several runs may do this at once. */
function linkTo(target: string, link: string): void {
  if (fs.lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && fs.readlinkSync(link) === target)
    return;
  const made = `${link}.${process.pid}`;
  fs.symlinkSync(target, made);
  fs.renameSync(made, link);
}
