// Runs the program with the SDK's own runner, unmodified.

import { startNode } from "./node-process";
import type { Config, Project } from "./project";

export interface ProgramRun {
  readonly exit: Promise<{ ok: boolean; code: number | null }>;
  stop(): void;
}

export interface ProgramSettings {
  readonly project: Project;
  readonly stack: string;
  readonly config: Config;
  readonly monitor: string;
  readonly dryRun: boolean;
  readonly parallel: number;
  readonly print: (line: string) => void;
}

export function runProgram({
  project,
  stack,
  config,
  monitor,
  dryRun,
  parallel,
  print,
}: ProgramSettings): ProgramRun {
  const runner = require.resolve("@pulumi/pulumi/cmd/run", { paths: [project.folder, __dirname] });
  const { child, output, errors } = startNode(
    [
      ...project.nodeArgs,
      runner,
      ...["--monitor", monitor, "--engine", monitor, "--project", project.name, "--stack", stack],
      ...["--organization", "organization", "--root-directory", project.root, "--pwd", project.folder],
      ...["--parallel", String(parallel)],
      ...(dryRun ? ["--dry-run"] : []),
      project.entry,
    ],
    project.folder,
    {
      PULUMI_CONFIG: JSON.stringify(config.values),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
      ...(project.typescript ? { PULUMI_NODEJS_TYPESCRIPT: "true" } : {}),
      // Types are checked when the code is written, not every time that it runs.
      PULUMI_NODEJS_TRANSPILE_ONLY: process.env.PULUMI_NODEJS_TRANSPILE_ONLY ?? "true",
    },
  );
  output.on("line", print);
  errors.on("line", print);
  const exit = new Promise<{ ok: boolean; code: number | null }>((resolve, reject) => {
    child.once("error", reject);
    // "close" comes after the last line of output, "exit" may not.
    child.once("close", (code) => resolve({ ok: code === 0, code }));
  });
  return { exit, stop: () => child.kill() };
}
