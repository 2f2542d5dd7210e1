import { buffer } from "node:stream/consumers";
import { extract, pack } from "tar-stream";

/** An entry of the tar archives through which a volume's files are read and written. */
export interface ArchiveEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "link";
  /** Text of a file or target of a link. */
  readonly content: string;
}

const TYPES = { file: "file", directory: "directory", link: "symlink" } as const;
const KINDS: Readonly<Record<string, ArchiveEntry["kind"]>> = {
  file: "file",
  directory: "directory",
  symlink: "link",
};

/** An archive whose entries belong to user and group `owner`. Only this user can read files, and read and write directories. */
export function packArchive(entries: readonly ArchiveEntry[], owner: number): Promise<Buffer> {
  const archive = pack();
  for (const { name, kind, content } of entries) {
    const header = {
      name,
      type: TYPES[kind],
      mode: kind === "directory" ? 0o700 : 0o400,
      uid: owner,
      gid: owner,
      ...(kind === "link" && { linkname: content }),
    };
    archive.entry(header, kind === "file" ? content : "");
  }
  archive.finalize();
  return buffer(archive);
}

/** The files, directories and links of an archive. */
export async function unpackArchive(archive: NodeJS.ReadableStream): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const reader = extract();
  archive.once("error", (error: Error) => reader.destroy(error));
  archive.pipe(reader);
  for await (const entry of reader) {
    const { name, type, linkname } = entry.header;
    const text = (await buffer(entry)).toString("utf8");
    const kind = KINDS[type];
    if (kind !== undefined) entries.push({ name, kind, content: kind === "link" ? linkname : text });
  }
  return entries;
}
