import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { PROJECT } from "../../commands/programs";
import { imageOf } from "./patroni";

/** What lies beside the scripts in an image. */
export const BESIDE = ["config-files", "config-files/supervise"].map((folder) => join(PROJECT, folder));

/**
 * Calls a function of a Python script with JSON arguments, once for each set of them (starting Python is what takes time). Decisions
 * of scripts are pure, so they are tested like ours.
 */
export function callPython(script: string, name: string, calls: readonly (readonly unknown[])[]): unknown[] {
  const program = [
    "import importlib.machinery, importlib.util, json, sys, types",
    "sys.dont_write_bytecode = True",
    `sys.path[:0] = ${JSON.stringify([dirname(script), ...BESIDE])}`,
    // The host need not have the database driver to decide.
    `for driver in ("psycopg2", "psycopg2.extensions"): sys.modules.setdefault(driver, types.ModuleType(driver))`,
    `loader = importlib.machinery.SourceFileLoader("script", ${JSON.stringify(script)})`,
    `module = importlib.util.module_from_spec(importlib.util.spec_from_loader("script", loader))`,
    "sys.modules['script'] = module",
    "loader.exec_module(module)",
    `print(json.dumps([getattr(module, ${JSON.stringify(name)})(*call) for call in json.load(sys.stdin)]))`,
  ].join("\n");
  return JSON.parse(
    execFileSync("python3", ["-c", program], { input: JSON.stringify(calls), encoding: "utf8" }),
  ) as unknown[];
}

/** What a program prints, as JSON, that runs with Patroni's Python in a container of its image. */
export const runInPatroniImage = (program: string): unknown =>
  JSON.parse(
    execFileSync(
      "docker",
      `run --rm -i --network none --entrypoint /opt/patroni/bin/python ${imageOf("patroni")} -`.split(" "),
      { input: program, encoding: "utf8" },
    ),
  );
