// The files that a build may see, packed for Docker: a folder without what its .dockerignore names.

import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, posix, relative, resolve } from "node:path";
import { pack } from "tar-stream";

/** One line of a .dockerignore as a test of paths: a match of a folder is a match of everything in it. */
function rule(line: string): { excludes: boolean; matches: (path: string) => boolean } | undefined {
  const trimmed = line.trim();
  if (trimmed === "" || trimmed.startsWith("#")) return undefined;
  const excludes = !trimmed.startsWith("!");
  const pattern = posix.normalize(excludes ? trimmed : trimmed.slice(1).trim()).replace(/^\/+|\/+$/g, "");
  const source = pattern.replace(/\*\*\/|\*\*|[\s\S]/g, (part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.replace(/[.+^${}()|[\]\\]/, "\\$&");
  });
  const expression = new RegExp(`^${source}(?:/.*)?$`);
  return { excludes, matches: (path) => expression.test(path) };
}

/** Does the build see this path? The last line that matches decides. */
export function ignoreFilter(lines: readonly string[], always: readonly string[]): (path: string) => boolean {
  const rules = lines.map(rule).filter((each) => each !== undefined);
  return (path) => {
    if (always.includes(path)) return true;
    let seen = true;
    for (const { excludes, matches } of rules) if (matches(path)) seen = !excludes;
    return seen;
  };
}

interface Entry {
  readonly path: string;
  readonly file: string;
}

function entriesOf(folder: string, dockerfile: string): Entry[] {
  const specific = `${join(folder, dockerfile)}.dockerignore`;
  const ignoreFile = existsSync(specific) ? specific : join(folder, ".dockerignore");
  const lines = existsSync(ignoreFile) ? readFileSync(ignoreFile, "utf8").split(/\r?\n/) : [];
  const seen = ignoreFilter(lines, [dockerfile, ".dockerignore"]);
  // A folder that is left out may hold files that a later line lets in again.
  const reopens = lines.some((line) => line.trim().startsWith("!"));
  const entries: Entry[] = [];
  const walk = (at: string): void => {
    for (const name of readdirSync(join(folder, at)).sort()) {
      const path = at === "" ? name : `${at}/${name}`;
      const file = join(folder, path);
      const isFolder = lstatSync(file).isDirectory();
      if (seen(path)) entries.push({ path, file });
      if (isFolder && (seen(path) || reopens)) walk(path);
    }
  };
  walk("");
  return entries;
}

export interface BuildContext {
  readonly archive: NodeJS.ReadableStream;
  readonly dockerfile: string;
}

/** `dockerfile` is relative to the context folder; one from outside is packed under a name of its own. */
export function packContext(context: string, dockerfile: string): BuildContext {
  const folder = resolve(context);
  const inside = relative(folder, resolve(folder, dockerfile)).split("\\").join("/");
  const foreign = inside.startsWith("../");
  const name = foreign
    ? `.dockerfile.${createHash("sha256").update(inside).digest("hex").slice(0, 12)}`
    : inside;
  const archive = pack();
  void (async () => {
    for (const { path, file } of entriesOf(folder, inside)) {
      const stat = lstatSync(file);
      // Owner and time of the files on this machine are nobody's business in the image, and would spoil the cache.
      const header = { name: path, mode: stat.mode & 0o7777, mtime: new Date(0), uid: 0, gid: 0 };
      if (stat.isDirectory()) archive.entry({ ...header, type: "directory" });
      else if (stat.isSymbolicLink())
        archive.entry({ ...header, type: "symlink", linkname: readlinkSync(file) });
      else if (stat.isFile()) await new Promise((done) => archive.entry(header, readFileSync(file), done));
    }
    if (foreign)
      archive.entry({ name, mode: 0o644, mtime: new Date(0) }, readFileSync(resolve(folder, dockerfile)));
    archive.finalize();
  })().catch((error: unknown) => archive.destroy(error as Error));
  return { archive: archive as unknown as NodeJS.ReadableStream, dockerfile: name };
}
