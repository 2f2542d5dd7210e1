/**
 * The layout of files in a volume that running programs read, as in a Kubernetes Secret volume: the files are in a directory of this
 * version, `..data` points to it, and every file is a link through `..data`. Renaming a new `..data` over the old one changes all
 * of them atomically, so no reader ever sees a partial change.
 */
import type { ArchiveEntry } from "./archive";

export type Files = Readonly<Record<string, string>>;

/**
 * What is written before the switch, for a volume mounted at `/<root>`. `dataLink` is `..data` if no program reads the volume yet, otherwise a
 * temporary name, which is then renamed.
 */
export function layoutEntries(
  root: string,
  files: Files,
  version: string,
  dataLink: string,
  present: readonly string[],
): ArchiveEntry[] {
  const names = Object.keys(files).sort();
  const entries: ArchiveEntry[] = [
    { name: version, kind: "directory", content: "" },
    ...names.map((name): ArchiveEntry => ({
      name: `${version}/${name}`,
      kind: "file",
      content: files[name] ?? "",
    })),
    { name: dataLink, kind: "link", content: version },
    // An existing link is already correct; writing it again would remove it for a moment.
    ...names
      .filter((name) => !present.includes(name))
      .map((name): ArchiveEntry => ({ name, kind: "link", content: `..data/${name}` })),
  ];
  return [
    // The volume's root: the programs' user must own it to rename files in it.
    { name: root, kind: "directory", content: "" },
    ...entries.map((entry) => ({ ...entry, name: `${root}/${entry.name}` })),
  ];
}

/** The top-level names of a volume, and the files as a program reads them, through the links. */
export interface Laid {
  readonly top: readonly string[];
  /** The directory that `..data` points to. */
  readonly version?: string;
  /** Undefined if the volume does not have our layout. */
  readonly files: Files | undefined;
}

/** Reads the archive of a volume mounted at `/<root>`. */
export function laidFiles(entries: readonly ArchiveEntry[], root: string): Laid {
  const inside = entries
    .map((entry) => ({ ...entry, name: entry.name.replace(/\/$/, "").slice(root.length + 1) }))
    .filter((entry) => entry.name !== "");
  const top = inside.map((entry) => entry.name).filter((name) => !name.includes("/"));
  const data = inside.find((entry) => entry.name === "..data" && entry.kind === "link");
  if (!data) return { top, files: undefined };
  const version = data.content;
  const files: Record<string, string> = {};
  for (const link of inside) {
    if (link.kind !== "link" || link.name.startsWith("..") || link.name.includes("/")) continue;
    const file = inside.find((entry) => entry.name === `${version}/${link.name}`);
    if (link.content !== `..data/${link.name}` || file?.kind !== "file")
      return { top, version, files: undefined };
    files[link.name] = file.content;
  }
  return { top, version, files };
}

export function sameFiles(a: Files | undefined, b: Files): boolean {
  if (!a) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/**
 * What to remove after the switch to `version`: links to files that no longer exist, and former versions except the previous one. During the
 * switch, a program on a busy machine may have resolved the old `..data` but not opened the file yet. libpq, for example, connects without a
 * certificate if its file is missing. So a replaced secret stays in the volume until the next change.
 */
export const staleNames = (laid: Laid, files: Files, version: string): string[] =>
  laid.top.filter((name) => !["..data", version, laid.version].includes(name) && files[name] === undefined);
