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

/** Where Debian keeps the certificate authorities that an administrator added. */
export const MACHINE_CERTIFICATES = "/usr/local/share/ca-certificates";

/** `postgres-cluster/etcd:3.5.16-0123456789ab`: the tag says what is in the image, so that it is known before the image is built. */
export const imageTag = (key: string, source: ImageSource, directory: string): string =>
  `postgres-cluster/${key}:${source.version}-${contentDigest(source, directory).slice(0, 12)}`;

/**
 * Digest of all that makes the image: its Dockerfile, its files with their paths and execute bits, its arguments. Not of additional
 * certificates: they only let the build fetch packages, and must not replace members when they change.
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
 * The folder that an image is built from. Where it holds files from elsewhere, that is a folder of its own, named after its content
 * and made when it is not there, so that every run names the same one.
 */
export function buildContext(
  key: string,
  source: ImageSource,
  directory: string,
  builds = join(homedir(), ".cache/postgres-cluster/builds"),
): string {
  // Absolute: engines differ in what a relative path is relative to. A moved checkout builds again, from the cache, and replaces no
  // container, since those name the tag.
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

/** Files of a file or folder, relative to `directory`. Compiled Python is nobody's input. */
function filesBelow(directory: string, path: string): string[] {
  if (!existsSync(join(directory, path)))
    throw new Error(`image input ${path} does not exist in ${directory}`);
  if (!statSync(join(directory, path)).isDirectory()) return [path];
  return readdirSync(join(directory, path))
    .filter((name) => name !== "__pycache__" && !name.endsWith(".pyc"))
    .flatMap((name) => filesBelow(directory, join(path, name)));
}

/** The `EXTRA_CA_CERTIFICATES` argument: one PEM bundle of the folder's certificates in base64; undefined when there are none. */
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
