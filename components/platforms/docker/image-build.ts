import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { ImageSource } from "../../../config-files/images";

/** Debian's folder for additional certificate authorities. */
export const MACHINE_CERTIFICATES = "/usr/local/share/ca-certificates";

/** `postgres-cluster/etcd:3.5.16-0123456789ab`: the tag is derived from the image's content, so it is known before the image is built. */
export const imageTag = (key: string, source: ImageSource, directory: string): string =>
  `postgres-cluster/${key}:${source.version}-${contentDigest(source, directory).slice(0, 12)}`;

/**
 * Digest of everything that determines the image: its Dockerfile, its files with their paths and execute bits, its arguments. Additional
 * certificates are excluded: they only let the build fetch packages, and a change of them must not replace members.
 */
export function contentDigest(source: ImageSource, directory: string): string {
  const hash = createHash("sha256");
  const add = (text: string | Buffer) => hash.update(`${text.length}:`).update(text);
  for (const [name, value] of Object.entries(source.buildArgs).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(`${name}=${value}`);
  }
  for (const file of new Set(
    [source.dockerfile, ...source.inputs].flatMap((path) => filesBelow(directory, path)).sort(),
  )) {
    add(file);
    add((statSync(join(directory, file)).mode & 0o100) !== 0 ? "x" : "-");
    add(readFileSync(join(directory, file)));
  }
  for (const [path, file] of Object.entries(source.files ?? {})) add(path).update(readFileSync(file));
  return hash.digest("hex");
}

/**
 * The build context of an image. If it needs files from elsewhere, this is a separate folder, named after its content
 * and created if it does not exist, so that every run uses the same one.
 */
export function buildContext(
  key: string,
  source: ImageSource,
  directory: string,
  builds = join(homedir(), ".cache/postgres-cluster/builds"),
): string {
  // Absolute, because engines resolve relative paths differently. A moved checkout rebuilds from the cache and replaces no
  // container, since containers refer to the tag.
  if (!source.files) return resolve(directory);
  const context = join(builds, `${key}-${contentDigest(source, directory).slice(0, 12)}`);
  if (existsSync(context)) return context;
  mkdirSync(builds, { recursive: true });
  const made = mkdtempSync(join(builds, ".making-"));
  for (const input of new Set([source.dockerfile, ...source.inputs])) {
    cpSync(join(directory, input), join(made, input), { recursive: true });
  }
  for (const [path, file] of Object.entries(source.files)) {
    mkdirSync(dirname(join(made, path)), { recursive: true });
    copyFileSync(file, join(made, path));
  }
  try {
    renameSync(made, context);
  } catch (error) {
    rmSync(made, { recursive: true });
    // Another run was faster.
    if (!existsSync(context)) throw error;
  }
  return context;
}

/** A file, or the files below a folder, relative to `directory`, without compiled Python. */
function filesBelow(directory: string, path: string): string[] {
  if (!existsSync(join(directory, path)))
    throw new Error(`image input ${path} does not exist in ${directory}`);
  if (!statSync(join(directory, path)).isDirectory()) return [path];
  return readdirSync(join(directory, path))
    .filter((name) => name !== "__pycache__" && !name.endsWith(".pyc"))
    .flatMap((name) => filesBelow(directory, join(path, name)));
}

/** The `EXTRA_CA_CERTIFICATES` argument: the folder's certificates as a PEM bundle in base64; undefined if there are none. */
export function extraCaCertificates(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".crt"))
    .sort();
  if (files.length === 0) return undefined;
  return Buffer.from(
    files.map((name) => readFileSync(join(folder, name), "utf8").trimEnd() + "\n").join(""),
  ).toString("base64");
}
