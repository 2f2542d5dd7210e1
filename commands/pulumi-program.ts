import { execFileSync, type StdioOptions } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import { folderOnPath, PROJECT } from "./programs";

const PLUGINS = path.join(PROJECT, "plugins/bin");
const TOOL = path.join(PROJECT, "tools/pulumi/pulumi.sh");

/** Which CLI deploys, and what it needs in its environment. */
export interface PulumiProgram {
  /** Before the rest of PATH; undefined: the user's own CLI is found there. */
  readonly folder: string | undefined;
  /** Whether the vendor's plugins come with it. Where they do not, ours are laid out for it. */
  readonly hasPlugins: boolean;
}

/** The user's CLI, which always comes first, or the one that tools/pulumi has got; undefined where there is neither. */
export function pulumiProgram(): PulumiProgram | undefined {
  const users = folderOnPath("pulumi");
  const folder = users ?? installed("folder");
  if (folder === undefined) return undefined;
  // Releases have the language hosts beside the CLI, which may itself be a link to there.
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

/** Of the plugin's package, since an SDK asks for the plugin of its own version. */
function versionOf(packageName: string): string {
  const file = path.join(PROJECT, "node_modules", packageName, "package.json");
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

/** Lays our plugins out where the CLI looks for those of its home; safe to repeat. */
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

/** A link to the target, also where one to another is; runs that do this at once do not disturb each other. */
function linkTo(target: string, link: string): void {
  if (fs.lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && fs.readlinkSync(link) === target)
    return;
  const made = `${link}.${process.pid}`;
  fs.symlinkSync(target, made);
  fs.renameSync(made, link);
}
