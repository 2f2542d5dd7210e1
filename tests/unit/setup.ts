import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialisedElsewhere } from "../support/providers";

/** Serialises the providers once for all test files: to do it in each took a sixth of the time of them all. */
export default async function setup(): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), "providers-")), "texts.json");
  writeFileSync(file, await serialisedElsewhere(process.cwd(), process.env));
  process.env["PROVIDER_TEXTS"] = file;
}
