import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
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
  const add = (text: string | Buffer): void => void hash.update(`${text.length}:`).update(text);
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
  return hash.digest("hex");
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
