import { execFileSync } from "node:child_process";
import { Readable } from "node:stream";
import { packArchive, unpackArchive, type ArchiveEntry } from "../../../components/reach/docker/archive";
import {
  laidFiles,
  layoutEntries,
  sameFiles,
  staleNames,
} from "../../../components/reach/docker/mounted-files-layout";
import { mountedFilesProvider } from "../../../components/platforms/docker/mounted-files";
import { served } from "../../support/served";

const FILES = { "tls.crt": "certificate\n", "tls.key": "kéy\n" };
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("an archive", () => {
  const entries: ArchiveEntry[] = [
    { name: "files", kind: "directory", content: "" },
    { name: "files/long", kind: "file", content: "x".repeat(1000) },
    { name: "files/empty", kind: "file", content: "" },
    { name: "files/link", kind: "link", content: "..data/link" },
  ];
  test("is unpacked as it was packed", async () => {
    const archive = Readable.from([await packArchive(entries, 10001)]);
    expect(await unpackArchive(archive)).toEqual(entries);
  });
  test("is what tar understands, with owner and modes", async () => {
    const listing = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], {
      input: await packArchive(entries, 10001),
      encoding: "utf8",
    });
    expect(
      listing.split("\n").map((line) => line.replace(/ +[0-9-]+ [0-9:]+ /, " ").replace(/ +/g, " ")),
    ).toEqual([
      "drwx------ 10001/10001 0 files",
      "-r-------- 10001/10001 1000 files/long",
      "-r-------- 10001/10001 0 files/empty",
      "lr-------- 10001/10001 0 files/link -> ..data/link",
      "",
    ]);
  });
});

describe("files in a volume", () => {
  const laid = (entries: readonly ArchiveEntry[]) => laidFiles(entries, "files");

  test("are read back through their links", () => {
    const read = laid(layoutEntries("files", FILES, "..v1", "..data", []));
    expect(read.files).toEqual(FILES);
    expect(sameFiles(read.files, FILES)).toBe(true);
  });
  test("belong to the programs' user, the volume's own root included", () => {
    expect(layoutEntries("files", FILES, "..v1", "..data", [])[0]).toEqual({
      name: "files",
      kind: "directory",
      content: "",
    });
  });
  test("are not there when a link is missing, or leads elsewhere", () => {
    const entries = layoutEntries("files", FILES, "..v1", "..data", []);
    expect(laid(entries.filter((e) => e.name !== "files/..data")).files).toBeUndefined();
    expect(
      laid(entries.map((e) => (e.name === "files/tls.key" ? { ...e, content: "/etc/passwd" } : e))).files,
    ).toBeUndefined();
    expect(sameFiles(laid(entries.filter((e) => e.name !== "files/tls.key")).files, FILES)).toBe(false);
  });
  test("an existing link is not written again: it would be away for a moment", () => {
    const names = layoutEntries("files", FILES, "..v2", "..data_new", ["..data", "..v1", "tls.key"]).map(
      (e) => e.name,
    );
    expect(names).not.toContain("files/tls.key");
    expect(names).toContain("files/tls.crt");
  });
  test("what is not wanted any more goes: leftovers, links of removed files, former versions but the last, which a reader may be about to open", () => {
    const entries = layoutEntries("files", FILES, "..v2", "..data", []);
    const top = ["..data", "..data_new", "..v1", "..v2", "..v3", "old", "tls.crt"];
    expect(staleNames({ ...laid(entries), top }, FILES, "..v3")).toEqual(["..data_new", "..v1", "old"]);
  });
});

describe("the resource", () => {
  const inputs = { volume: "v", files: FILES, owner: 10001 };

  test("changes with its files, and is another one with another volume", async () => {
    const { provider } = served(mountedFilesProvider);
    expect(await provider.diff("v", inputs, inputs)).toEqual({ changes: false, replaces: [] });
    expect(
      await provider.diff("v", inputs, { ...inputs, files: { ...FILES, "tls.key": "new" } }),
    ).toMatchObject({ changes: true, replaces: [] });
    expect(await provider.diff("v", inputs, { ...inputs, volume: "w" })).toEqual({
      changes: true,
      replaces: ["volume"],
    });
  });
  test("content that is not known yet is a change and never a replacement", async () => {
    const { provider } = served(mountedFilesProvider);
    expect(await provider.diff("v", inputs, { ...inputs, files: UNKNOWN as never })).toEqual({
      changes: true,
      replaces: [],
    });
  });
});
