// The language host: has the SDK's own runner run the program when the CLI says so.

import { spawn } from "node:child_process";
import type * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { version } from "@pulumi/pulumi/package.json";
import { answer, info, listen, nothing } from "./server";

/** The runner's exit code when it has told the program's error itself: cmd/run/index.js of the SDK. */
const ERROR_WAS_TOLD = 32;

const engine = process.argv[2] ?? "";
let stop = (): void => undefined;

function run(request: language.RunRequest): Promise<language.RunResponse> {
  const program = request.getInfo();
  const folder = program?.getProgramDirectory() ?? request.getPwd();
  const options = program?.getOptions()?.toJavaScript() ?? {};
  const runner = require.resolve("@pulumi/pulumi/cmd/run", { paths: [folder, __dirname] });
  const nodeArgs = typeof options["nodeargs"] === "string" ? options["nodeargs"].split(/\s+/) : [];
  const flags = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    "root-directory": program?.getRootDirectory() ?? folder,
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const child = spawn(
    process.execPath,
    [
      ...["--require", require.resolve("../local-engine/end-with-parent.js"), ...nodeArgs.filter(Boolean)],
      ...[runner, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
      ...(request.getDryrun() ? ["--dry-run"] : []),
      ...[program?.getEntryPoint() ?? ".", ...request.getArgsList()],
    ],
    {
      cwd: folder,
      // The end of its standard input is the end of the program.
      stdio: ["pipe", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        ...(options["typescript"] === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      },
    },
  );
  stop = () => void child.kill();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const response = new language.RunResponse();
      if (code === ERROR_WAS_TOLD) response.setBail(true);
      else if (code !== 0) response.setError(`the program ended with ${signal ?? `exit code ${code}`}`);
      resolve(response);
    });
  });
}

listen(LanguageRuntimeService, {
  handshake: answer(() => new language.LanguageHandshakeResponse()),
  getPluginInfo: answer(() => info(version)),
  // Plugins are looked for when a resource needs one: asked in advance, the CLI would try to download what a stack does not use.
  getRequiredPackages: answer(() => new language.GetRequiredPackagesResponse()),
  getRequiredPlugins: answer(() => new language.GetRequiredPluginsResponse()),
  getProgramDependencies: answer(() => new language.GetProgramDependenciesResponse()),
  // They are there: this host is part of them.
  installDependencies: (call: grpc.ServerWritableStream<unknown, unknown>) => call.end(),
  about: answer(() => {
    const about = new language.AboutResponse();
    about.setExecutable(process.execPath);
    about.setVersion(process.version);
    return about;
  }),
  run: answer(run),
  cancel: answer(() => (stop(), nothing())),
});
