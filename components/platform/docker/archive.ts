/** Tar archives as far as the engine needs them (POSIX ustar). */

export interface ArchiveEntry {
  /** At most 100 characters. */
  readonly name: string;
  readonly kind: "file" | "directory" | "link";
  /** Text of a file, target of a link. */
  readonly content: string;
}

const BLOCK = 512;

/** An archive whose entries belong to user and group `owner`; files are readable, directories also writable, by it alone. */
export function packArchive(entries: readonly ArchiveEntry[], owner: number): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const data = Buffer.from(entry.kind === "file" ? entry.content : "");
    const header = Buffer.alloc(BLOCK);
    const octal = (value: number, at: number, length: number): void =>
      void header.write(value.toString(8).padStart(length - 1, "0"), at);
    header.write(entry.name, 0, 100);
    octal(entry.kind === "directory" ? 0o700 : 0o400, 100, 8);
    octal(owner, 108, 8);
    octal(owner, 116, 8);
    octal(data.length, 124, 12);
    octal(Math.floor(Date.now() / 1000), 136, 12);
    header.write(entry.kind === "file" ? "0" : entry.kind === "link" ? "2" : "5", 156);
    if (entry.kind === "link") header.write(entry.content, 157, 100);
    header.write("ustar\x0000", 257);
    // The checksum counts its own field as spaces.
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** The entries of an archive; of kinds other than ours only what follows them. */
export function unpackArchive(archive: Buffer): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const text = (from: number, length: number): string =>
      archive.toString("utf8", at + from, at + from + length).replace(/\0.*/s, "");
    const size = parseInt(text(124, 12).trim(), 8) || 0;
    const kinds: Record<string, ArchiveEntry["kind"]> = {
      "": "file",
      "0": "file",
      "2": "link",
      "5": "directory",
    };
    const kind = kinds[text(156, 1)];
    const prefix = text(257, 5) === "ustar" ? text(345, 155) : "";
    if (kind) {
      const content = archive.toString("utf8", at + BLOCK, at + BLOCK + size);
      entries.push({
        name: prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`,
        kind,
        content: kind === "link" ? text(157, 100) : content,
      });
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}
