import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../../commands/programs";
import { PORTS } from "../../../config-files/ports";

const NUMBERS = new RegExp(`\\b(${[...new Set(Object.values(PORTS))].join("|")})\\b`);

/** Everything that runs. Documents and golden files show what comes of it. */
const files = ["commands", "components", "config-files", "scripts", "stacks"].flatMap((folder) =>
  readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(md|pyc)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name)),
);

test("the cluster's ports stand in port-numbers.json, and nowhere else", () => {
  const places = files.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, i) => (NUMBERS.test(line) ? [`${file.slice(PROJECT.length + 1)}:${i + 1}`] : [])),
  );
  expect(places.filter((place) => !place.startsWith("config-files/port-numbers.json:"))).toEqual([]);
  expect(places).toHaveLength(Object.keys(PORTS).length);
});

test("scripts in the images read the same ones", () => {
  const ports = join(PROJECT, "config-files/ports.py");
  for (const [name, port] of Object.entries(PORTS))
    expect(execFileSync("python3", [ports, name], { encoding: "utf8" })).toBe(`${port}\n`);
});
