import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const PROJECT = resolve(__dirname, "../..");
type Named = Readonly<Record<string, object>>;

/** Tells a provider from the others, in whatever process its module was loaded. */
export const fingerprint = (provider: object): string =>
  createHash("sha256").update(Object.values(provider).map(String).join("\n")).digest("hex");

/** The providers of the components, each with its text as `pulumi up` serialises it, by fingerprint. */
export async function serialiseProviders(): Promise<Record<string, string>> {
  const { runtime } = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  const texts: Record<string, string> = {};
  for (const file of globSync("components/**/*.ts", { cwd: PROJECT }))
    for (const [, name = ""] of readFileSync(join(PROJECT, file), "utf8").matchAll(
      /^export const (\w+Provider)\b/gm,
    )) {
      const provider = (require(join(PROJECT, file)) as Named)[name]!;
      const key = fingerprint(provider);
      if (key in texts) throw new Error(`${file}: the functions of ${name} are those of another provider`);
      texts[key] = (await runtime.serializeFunction(() => provider)).text;
    }
  return texts;
}

/** The same from a process of its own, which loads the sources as the program of a stack does. As JSON. */
export async function serialisedElsewhere(cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const program = join(__dirname, "serialise.js");
  const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 };
  return (await promisify(execFile)(process.execPath, [program], options)).stdout;
}
