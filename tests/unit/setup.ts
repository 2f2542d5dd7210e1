import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { serialisedElsewhere } from "../support/providers";

const PROJECT = resolve(__dirname, "../..");
const CACHE = join(PROJECT, "node_modules/.cache/provider-texts");

/** Of everything that a provider's text can come from. */
function digest(): string {
  const hash = createHash("sha256").update(process.version);
  const sources = [
    "{components,config-files,scripts}/**/*.{ts,js}",
    "tests/support/{providers.ts,serialise.js}",
  ];
  for (const file of ["package-lock.json", ...globSync(sources, { cwd: PROJECT }).sort()])
    hash.update(`\n${file}\n`).update(readFileSync(join(PROJECT, file)));
  return hash.digest("hex");
}

/**
 * Serialises the providers once for all test files, and again when a source has changed: to do it in each took a sixth of the time of them
 * all. tests/unit/dynamic/provider-text.test.ts does it anew in every run and compares.
 */
export default async function setup(): Promise<void> {
  const file = join(CACHE, `${digest()}.json`);
  process.env["PROVIDER_TEXTS"] = file;
  const kept = globSync("*.json", { cwd: CACHE }).map((name) => join(CACHE, name));
  if (kept.includes(file)) return;
  const texts = await serialisedElsewhere(process.cwd(), process.env);
  for (const old of kept) rmSync(old, { force: true });
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, texts);
  renameSync(`${file}.${process.pid}`, file);
}
