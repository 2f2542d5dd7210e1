import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT } from "../../../commands/programs";

/** What is said by a file of the project when it is loaded, as by that version of Node.js. */
const loaded = (file: string, version: string) => {
  const script = `Object.defineProperty(process.versions, "node", { value: "${version}" }); require("./${file}")`;
  const { status, stderr } = spawnSync(process.execPath, ["--eval", script], {
    ...{ cwd: PROJECT, encoding: "utf8" },
  });
  return { status, stderr };
};

describe("the program says which Node.js it needs (C6)", () => {
  test.each(["18.19.0", "20.20.2", "22.16.0"])("%s is too old, before anything else is loaded", (version) => {
    const { status, stderr } = loaded("stacks/program.js", version);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `this is Node.js ${version} (${process.execPath}), and postgres-cluster needs 22.17 or newer: put one on PATH`,
    );
    expect(stderr).toContain(join("scripts", "node-version.js"));
  });

  test.each(["22.17.0", "24.0.1", "26.10.0"])("%s is not", (version) => {
    expect(loaded("scripts/node-version.js", version)).toEqual({ status: 0, stderr: "" });
  });
});
