// The project and its stack's settings: Pulumi.yaml and Pulumi.<stack>.yaml.

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { Fault } from "./fault";
import type { Crypter } from "./secrets";

interface ProjectFile {
  name: string;
  main?: string;
  runtime?: string | { name: string; options?: { typescript?: boolean; nodeargs?: string } };
  config?: Record<string, unknown>;
}

export interface Project {
  readonly name: string;
  /** The folder of Pulumi.yaml. */
  readonly root: string;
  /** Where the program runs, and what to run there: as the CLI does it, the folder of `main`. */
  readonly folder: string;
  readonly entry: string;
  readonly typescript: boolean;
  readonly nodeArgs: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
}

export interface StackSettings {
  readonly encryptionSalt?: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Config {
  readonly values: Readonly<Record<string, string>>;
  readonly secretKeys: readonly string[];
}

export function readProject(cwd: string): Project {
  const root = findRoot(resolve(cwd));
  const file = readYaml(join(root, "Pulumi.yaml")) as ProjectFile;
  const runtime = typeof file.runtime === "string" ? { name: file.runtime } : file.runtime;
  if (runtime?.name !== "nodejs") {
    throw new Fault(
      `the local engine runs Node.js programs; ${join(root, "Pulumi.yaml")} says runtime ${runtime?.name ?? "none"}`,
    );
  }
  const main = file.main === undefined ? root : resolve(root, file.main);
  if (!existsSync(main)) throw new Fault(`the program ${main} (main in Pulumi.yaml) does not exist`);
  const isFolder = statSync(main).isDirectory();
  return {
    name: file.name,
    root,
    folder: isFolder ? main : dirname(main),
    entry: isFolder ? "." : basename(main),
    typescript: runtime.options?.typescript !== false,
    nodeArgs: runtime.options?.nodeargs?.split(/\s+/).filter(Boolean) ?? [],
    config: file.config ?? {},
  };
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, "Pulumi.yaml"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Fault("no Pulumi.yaml here or in a folder above");
  return findRoot(parent);
}

export function readStackSettings(project: Project, stack: string, configFile?: string): StackSettings {
  if (!/^[\w.-]+$/.test(stack))
    throw new Fault(`"${stack}" is not a stack name: letters, digits, "-", "_" and "." only`);
  const file = configFile === undefined ? join(project.root, `Pulumi.${stack}.yaml`) : resolve(configFile);
  if (configFile !== undefined && !existsSync(file))
    throw new Fault(`--config-file ${configFile}: there is no such file`);
  const settings = (existsSync(file) ? readYaml(file) : {}) as {
    encryptionsalt?: string;
    config?: Record<string, unknown>;
  };
  return { encryptionSalt: settings.encryptionsalt, config: settings.config ?? {} };
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8")) ?? {};
  } catch (error) {
    throw new Fault(`${file}: ${(error as Error).message}`);
  }
}

/** Settings by which a stack says that it is not for Docker. */
const NOT_HERE = { platform: "kubernetes", environment: "prod" };

export function needsCli(project: Project, settings: StackSettings): boolean {
  return Object.entries(NOT_HERE).some(([key, value]) => settings.config[`${project.name}:${key}`] === value);
}

/**
 * What the program is given: the stack's values over the project's defaults, every value as text, objects as JSON,
 * encrypted parts decrypted and their keys named.
 */
export function resolveConfig(project: Project, settings: StackSettings, crypter: Crypter): Config {
  const values: Record<string, string> = {};
  const secretKeys: string[] = [];
  const add = (key: string, value: unknown): void => {
    const full = key.includes(":") ? key : `${project.name}:${key}`;
    const { plain, hasSecret } = decrypt(value, crypter, settings.encryptionSalt !== undefined, full);
    values[full] = typeof plain === "string" ? plain : JSON.stringify(plain);
    if (hasSecret) secretKeys.push(full);
  };
  for (const [key, declared] of Object.entries(project.config)) {
    const value = defaultOf(declared);
    if (value !== undefined) add(key, value);
  }
  for (const [key, value] of Object.entries(settings.config)) add(key, value);
  for (const [key, declared] of Object.entries(project.config)) checkType(project, key, declared, values);
  return { values, secretKeys };
}

/** Pulumi.yaml holds either a value, or a declaration with type and default, or an object with `value`. */
function defaultOf(declared: unknown): unknown {
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) return declared;
  if ("default" in declared) return declared.default;
  if ("value" in declared) return declared.value;
  return undefined;
}

function checkType(project: Project, key: string, declared: unknown, values: Record<string, string>): void {
  if (typeof declared !== "object" || declared === null || !("type" in declared)) return;
  const full = key.includes(":") ? key : `${project.name}:${key}`;
  const text = values[full];
  if (text === undefined) {
    throw new Fault(
      `missing required configuration variable '${full}' (declared without a default in Pulumi.yaml)`,
    );
  }
  const fits =
    declared.type === "integer"
      ? /^-?\d+$/.test(text)
      : declared.type === "boolean"
        ? text === "true" || text === "false"
        : declared.type === "array"
          ? text.startsWith("[")
          : declared.type === "object"
            ? text.startsWith("{")
            : true;
  if (!fits) throw new Fault(`configuration value '${full}' must be of type '${String(declared.type)}'`);
}

function decrypt(
  value: unknown,
  crypter: Crypter,
  decryptable: boolean,
  key: string,
): { plain: unknown; hasSecret: boolean } {
  if (typeof value !== "object" || value === null) return { plain: value, hasSecret: false };
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === "secure") {
    if (!decryptable)
      throw new Fault(
        `configuration value '${key}' is encrypted, but the stack's file has no encryptionsalt`,
      );
    return { plain: crypter.decryptText(String((value as { secure: unknown }).secure)), hasSecret: true };
  }
  let hasSecret = false;
  const inner = (item: unknown): unknown => {
    const result = decrypt(item, crypter, decryptable, key);
    hasSecret ||= result.hasSecret;
    return result.plain;
  };
  const plain = Array.isArray(value)
    ? value.map(inner)
    : Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item)]));
  return { plain, hasSecret };
}
