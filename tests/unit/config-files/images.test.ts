import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { IMAGES, imagesWith } from "../../../config-files/images";

const CONFIG_FILES = resolve(__dirname, "../../../config-files");
const names = Object.keys(IMAGES);

describe.each(names)("the image %s", (name) => {
  const image = IMAGES[name]!;
  const dockerfile = readFileSync(resolve(CONFIG_FILES, image.dockerfile), "utf8");

  test("every input exists", () => {
    expect(image.inputs.filter((input) => !existsSync(resolve(CONFIG_FILES, input)))).toEqual([]);
  });

  test("everything that the Dockerfile copies is an input, so that a change to it is a new image", () => {
    // Files from elsewhere are in the digest themselves.
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+)$/gm)]
      .flatMap((match) => match[1]!.trim().split(/\s+/).slice(0, -1))
      .filter((path) => !path.endsWith("*.de[b]"));
    const covered = (path: string): boolean =>
      image.inputs.some((input) => path.replace(/\/$/, "") === input || path.startsWith(`${input}/`));
    expect(copied.filter((path) => !covered(path))).toEqual([]);
    expect(image.inputs).toContain(image.dockerfile);
  });

  test("every argument of the table is one of the Dockerfile, and the other way round", () => {
    const declared = new Set([...dockerfile.matchAll(/^ARG ([A-Z_]+)/gm)].map((match) => match[1]!));
    if (image.usesExtraCaCertificates) declared.delete("EXTRA_CA_CERTIFICATES");
    expect([...declared].sort()).toEqual(Object.keys(image.buildArgs).sort());
  });

  test("it runs as our own user under the supervisor, and says what it is", () => {
    expect(dockerfile).toMatch(/^USER 10001:10001$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["(\/usr\/local\/bin\/)?supervise"/m);
    expect(dockerfile).toMatch(new RegExp(`postgres-cluster\\.image="?${name}"?`));
    expect(dockerfile).toMatch(/org\.opencontainers\.image\.version=/);
  });

  test("the classic builder can build it", () => {
    expect(dockerfile).not.toMatch(/^# syntax=|--mount=|<<-?\s*['"]?EOF/m);
  });
});

test("who looks members up does not wait for the name of one that is gone (H1)", () => {
  for (const name of ["patroni", "pgbouncer"]) {
    const dockerfile = readFileSync(resolve(CONFIG_FILES, IMAGES[name]!.dockerfile), "utf8");
    expect(dockerfile).toMatch(/^(ENV| {4}) ?RES_OPTIONS="timeout:1 attempts:1"/m);
  }
});

test("further packages make another image of the database, in whatever order they are named, and of nothing else", () => {
  const images = imagesWith({ postgresPackages: ["b", "a", "b"] });
  expect(images).toEqual({
    ...IMAGES,
    patroni: {
      ...IMAGES["patroni"],
      buildArgs: { ...IMAGES["patroni"]!.buildArgs, EXTRA_PACKAGES: "a b" },
    },
  });
  expect(imagesWith({})).toEqual(IMAGES);
});
