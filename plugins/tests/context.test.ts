import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { extract } from "tar-stream";
import { ignoreFilter, packContext } from "../docker/context";

test.each([
  [["*.log"], "a.log", false],
  [["*.log"], "deep/a.log", true],
  [["**/*.log"], "deep/er/a.log", false],
  [["node_modules"], "node_modules/a/b.js", false],
  [["/build/"], "build/x", false],
  [["docs/**", "!docs/keep.md"], "docs/keep.md", true],
  [["a?c"], "abc", false],
  [["# comment", ""], "comment", true],
  [["*"], "Dockerfile", true],
])("with %j in .dockerignore, does the build see %s? %s", (lines, path, seen) => {
  expect(ignoreFilter(lines, ["Dockerfile"])(path)).toBe(seen);
});

test("the context holds what is not ignored, without owners and times, and a Dockerfile from elsewhere", async () => {
  const root = mkdtempSync(join(tmpdir(), "pulumi-plugins-"));
  const files = {
    "context/.dockerignore": "secret\nlarge/*\n!large/needed",
    "context/app": "x",
    "context/secret": "x",
    "context/large/a": "x",
    "context/large/needed": "x",
    "Dockerfile.other": "FROM scratch",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { archive, dockerfile } = packContext(join(root, "context"), "../Dockerfile.other");
  const entries: Record<string, number | undefined> = {};
  for await (const entry of archive.pipe(extract())) {
    entries[entry.header.name] = entry.header.mtime.getTime();
    entry.resume();
  }
  rmSync(root, { recursive: true });
  expect(Object.keys(entries).sort()).toEqual(
    [".dockerignore", "app", dockerfile, "large", "large/needed"].sort(),
  );
  expect(new Set(Object.values(entries))).toEqual(new Set([0]));
});
