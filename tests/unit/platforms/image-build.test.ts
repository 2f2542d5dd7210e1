import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageSource } from "../../../config-files/images";
import {
  buildContext,
  contentDigest,
  extraCaCertificates,
  imageTag,
} from "../../../components/platforms/docker/image-build";

const folder = mkdtempSync(join(tmpdir(), "images-"));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
beforeEach(() => {
  mkdirSync(join(folder, "a/scripts/__pycache__"), { recursive: true });
  write("a/Dockerfile", "FROM scratch\n");
  write("a/scripts/run", "run\n");
  chmodSync(join(folder, "a/scripts/run"), 0o755);
});

const SOURCE: ImageSource = {
  dockerfile: "a/Dockerfile",
  buildArgs: { V: "1" },
  inputs: ["a/Dockerfile", "a/scripts"],
  version: "1.2",
};
const digest = (source: ImageSource = SOURCE): string => contentDigest(source, folder);

test("a tag says which version and which content it is", () => {
  expect(imageTag("a", SOURCE, folder)).toBe(`postgres-cluster/a:1.2-${digest().slice(0, 12)}`);
});

describe("the build context", () => {
  test("is the folder itself when there are no files from elsewhere", () => {
    expect(buildContext("a", SOURCE, folder)).toBe(folder);
  });

  test("with files from elsewhere it is a folder that has them, named after its content and made once", () => {
    write("x.deb", "package");
    const source = { ...SOURCE, files: { "packages/x.deb": join(folder, "x.deb") } };
    const builds = join(folder, "builds");
    const context = buildContext("a", source, folder, builds);
    expect(context).toBe(join(builds, `a-${digest(source).slice(0, 12)}`));
    expect(readFileSync(join(context, "packages/x.deb"), "utf8")).toBe("package");
    expect(readFileSync(join(context, "a/scripts/run"), "utf8")).toBe("run\n");
    expect(statSync(join(context, "a/scripts/run")).mode & 0o100).toBe(0o100);
    expect(buildContext("a", source, folder, builds)).toBe(context);
    expect(readdirSync(builds)).toHaveLength(1);
    write("x.deb", "another");
    expect(buildContext("a", source, folder, builds)).not.toBe(context);
  });
});

describe("the digest", () => {
  test.each<[string, () => string]>([
    ["a file", () => (write("a/scripts/run", "walk\n"), digest())],
    ["a new file", () => (write("a/scripts/more", ""), digest())],
    ["an execute bit", () => (chmodSync(join(folder, "a/scripts/run"), 0o644), digest())],
    ["an argument", () => digest({ ...SOURCE, buildArgs: { V: "2" } })],
    [
      "the Dockerfile, also when it is no input",
      () => (write("a/Dockerfile", "FROM x\n"), digest({ ...SOURCE, inputs: ["a/scripts"] })),
    ],
  ])("changes with %s", (_what, change) => {
    const before = digest();
    expect(change()).not.toBe(before);
    rmSync(join(folder, "a/scripts/more"), { force: true });
  });
  test("does not change with compiled Python", () => {
    const before = digest();
    write("a/scripts/__pycache__/x.pyc", "x");
    expect(digest()).toBe(before);
  });
  test("does not change with the version, which is only a name", () => {
    expect(digest({ ...SOURCE, version: "9" })).toBe(digest());
  });
  test("needs every input", () => {
    expect(() => digest({ ...SOURCE, inputs: ["b"] })).toThrow("image input b does not exist");
  });
});

test("additional certificates are one bundle in base64, none where there are none", () => {
  expect(extraCaCertificates(join(folder, "missing"))).toBeUndefined();
  mkdirSync(join(folder, "ca/sub"), { recursive: true });
  expect(extraCaCertificates(join(folder, "ca"))).toBeUndefined();
  write("ca/b.crt", "B");
  write("ca/sub/a.crt", "A\n");
  write("ca/readme", "no");
  expect(Buffer.from(extraCaCertificates(join(folder, "ca"))!, "base64").toString()).toBe("B\nA\n");
});
