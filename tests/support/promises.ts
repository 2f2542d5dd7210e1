import { readFileSync } from "node:fs";
import { join } from "node:path";

const FACTOR = 3;
/** What a busy machine takes by itself: a gap of a tenth of a second is not held against it three times over. */
const LEAST_MS = 3_000;

/** A row of a document's tables of promises, whose last column is the longest gap between two acknowledged writes. */
export interface Promised {
  readonly document: string;
  readonly row: string;
}
export const inFailover = (row: string): Promised => ({ document: "docs/failover.md", row });
export const onKubernetes = (row: string): Promised => ({ document: "docs/kubernetes.md", row });

/** The longest gap that a document says of a row of its tables, in ms. A row that is not there is an error. */
export function promisedMs(text: string, row: string): number {
  const cells = text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .find(([, first]) => first === row);
  if (cells === undefined) throw new Error(`no table of promises has the row "${row}"`);
  const seconds = [...(cells.at(-2) ?? "").matchAll(/([\d.]+) s\b/g)].map(([, figure]) => Number(figure));
  if (seconds.length === 0) throw new Error(`the row "${row}" says no longest gap`);
  return Math.max(...seconds) * 1000;
}

/** The longest gap that a suite admits: three times what the document says, which holds on a busy machine. */
export const boundMs = (promised: number): number => Math.max(FACTOR * promised, LEAST_MS);

/** Fails when writes waited for longer than three times what is promised. */
export function expectKept({ document, row }: Promised, gapMs: number): void {
  const promised = promisedMs(readFileSync(join(__dirname, "../..", document), "utf8"), row);
  const bound = boundMs(promised);
  if (gapMs > bound)
    throw new Error(
      `${row}: writes waited for ${gapMs} ms; ${document} says ${promised} ms, and more than ${bound} ms is no noise of a busy machine`,
    );
}
