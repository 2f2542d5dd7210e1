import * as fs from "node:fs";
import * as path from "node:path";
import { PROJECT } from "../../commands/programs";

const IMPORT = /^(?:import|export)\b[^;]*?from "(\.[^"]+)";/gms;

/** The files of the product by path, each with those that it imports, types included. */
function importsOf(folders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const files = new Set(
    fs.globSync(
      folders.map((folder) => `${folder}/**/*.ts`),
      { cwd: PROJECT },
    ),
  );
  const target = (from: string, to: string): readonly string[] => {
    const base = path.join(path.dirname(from), to);
    return [`${base}.ts`, `${base}/index.ts`].filter((file) => files.has(file));
  };
  return new Map(
    [...files].map((file) => {
      const text = fs.readFileSync(path.join(PROJECT, file), "utf8");
      return [file, [...text.matchAll(IMPORT)].flatMap(([, to = ""]) => target(file, to))];
    }),
  );
}

/** Every circle that a walk in depth meets, as the files on it. */
function circles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, above: readonly string[]): void => {
    const start = above.indexOf(file);
    if (start >= 0) found.push([...above.slice(start), file].join(" -> "));
    if (start >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) walk(next, [...above, file]);
    done.add(file);
  };
  for (const file of imports.keys()) walk(file, []);
  return found;
}

describe("which way files depend (docs/architecture.md)", () => {
  const imports = importsOf(["components", "config-files", "stacks", "commands"]);

  test("the files and their imports are found", () => {
    expect(imports.size).toBeGreaterThan(150);
    expect(imports.get("stacks/index.ts")).toContain("stacks/cluster.ts");
    expect(imports.get("stacks/cluster.ts")).toContain("components/proxy-tier.ts");
  });

  test("a circle is seen, of types alone, too", () => {
    const round = new Map([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["b"]],
    ]);
    expect(circles(round)).toEqual(["b -> c -> b"]);
  });

  test("none goes round in a circle", () => expect(circles(imports)).toEqual([]));

  // Node.js looks for .js and .json before .ts, so that `import "./ports"` would find the wrong one.
  test("no file that is imported has the name of another one that Node.js would take in its place", () => {
    const others = fs.globSync("{components,config-files,stacks,commands}/**/*.{js,json}", { cwd: PROJECT });
    const taken = new Set(others.map((file) => file.replace(/\.\w+$/, "")));
    const imported = new Set([...imports.values()].flat());
    expect([...imported].filter((file) => taken.has(file.replace(/\.ts$/, "")))).toEqual([]);
  });
});
