import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const GOLDEN_FOLDER = resolve(__dirname, "../golden");

/**
 * Compares `text` with the file `path` under `tests/golden/`. `UPDATE_GOLDENS=1` (`make golden`) writes the file instead; the
 * difference is then reviewed with the commit.
 */
export function expectGolden(path: string, text: string): void {
  const file = resolve(GOLDEN_FOLDER, path);
  if (process.env["UPDATE_GOLDENS"] === "1") {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  if (!existsSync(file)) throw new Error(`there is no golden file ${path}; UPDATE_GOLDENS=1 writes it`);
  expect(text).toBe(readFileSync(file, "utf8"));
}
