// The language host: has the SDK's own runners run the program, and plugins that are programs themselves, when the CLI says so.

import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type * as grpc from "@grpc/grpc-js";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { PackageDependency } from "@pulumi/pulumi/proto/plugin_pb";
import { version } from "@pulumi/pulumi/package.json";
import { answer, info, listen, nothing } from "./server";

/** The runner's exit code when it has told the program's error itself: cmd/run/index.js of the SDK. */
const ERROR_WAS_TOLD = 32;

const engine = process.argv[2] ?? "";
let stop = (): void => undefined;

interface Started {
  /** Of the SDK: cmd/<runner>. */
  readonly runner: "run" | "run-plugin" | "run-policy-pack";
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly output: "inherit" | "pipe";
}

/** Starts one of the runners of the SDK that the program in `program` has. */
function start(
  program: language.ProgramInfo | undefined,
  { runner, args, cwd, env, output }: Started,
): ChildProcess {
  const options = program?.getOptions()?.toJavaScript() ?? {};
  const nodeArgs = typeof options["nodeargs"] === "string" ? options["nodeargs"].split(/\s+/) : [];
  const folder = program?.getProgramDirectory() ?? cwd;
  return spawn(
    process.execPath,
    [
      ...["--require", require.resolve("./end-with-parent.js"), ...nodeArgs.filter(Boolean)],
      ...[require.resolve(`@pulumi/pulumi/cmd/${runner}`, { paths: [folder, __dirname] }), ...args],
    ],
    {
      cwd,
      // The end of its standard input is the end of the program.
      stdio: ["pipe", output, output],
      env: {
        ...process.env,
        ...env,
        ...(options["typescript"] === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      },
    },
  );
}

function run(request: language.RunRequest): Promise<language.RunResponse> {
  const program = request.getInfo();
  const folder = program?.getProgramDirectory() ?? request.getPwd();
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
  const child = start(program, {
    runner: "run",
    args: [
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      ...(request.getDryrun() ? ["--dry-run"] : []),
      ...[program?.getEntryPoint() ?? ".", ...request.getArgsList()],
    ],
    cwd: folder,
    env: {
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    },
    output: "inherit",
  });
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

/** `NAME=value`, as the two. */
function variable(text: string): [string, string] {
  const at = text.indexOf("=");
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A policy pack, or a provider that is a program: what it prints goes to the CLI, which ends the call when it needs it no longer. */
function runPlugin(
  call: grpc.ServerWritableStream<language.RunPluginRequest, language.RunPluginResponse>,
): void {
  const { request } = call;
  const program = request.getInfo();
  const folder = program?.getProgramDirectory() ?? request.getPwd();
  const isPolicyPack = request.getKind() === "analyzer";
  const child = start(program, {
    runner: isPolicyPack ? "run-policy-pack" : "run-plugin",
    // A pack is told the engine's address first, a provider after its program.
    args: isPolicyPack ? [...request.getArgsList(), folder] : [folder, ...request.getArgsList()],
    // The pack looks there for its package.json.
    cwd: isPolicyPack ? folder : request.getPwd(),
    env: Object.fromEntries(request.getEnvList().map(variable)),
    output: "pipe",
  });
  const tell = (fill: (response: language.RunPluginResponse) => void): void => {
    const response = new language.RunPluginResponse();
    fill(response);
    call.write(response);
  };
  child.stdout?.on("data", (chunk: Buffer) => tell((response) => response.setStdout(chunk)));
  child.stderr?.on("data", (chunk: Buffer) => tell((response) => response.setStderr(chunk)));
  child.once("error", (error) => call.destroy(error));
  child.once("close", (code) => {
    tell((response) => response.setExitcode(code ?? 1));
    call.end();
  });
  call.once("cancelled", () => child.kill());
}

/** What a package says of the plugin that its resources need: https://www.pulumi.com/docs/iac/packages-and-automation/ */
interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly pulumi?: { readonly resource?: boolean; readonly name?: string; readonly server?: string };
}

function packageFile(file: string): PackageFile {
  return JSON.parse(fs.readFileSync(file, "utf8")) as PackageFile;
}

/** The package that a folder belongs to. */
function packageOf(folder: string): string | undefined {
  const file = path.join(folder, "package.json");
  if (fs.existsSync(file)) return file;
  const above = path.dirname(folder);
  return above === folder ? undefined : packageOf(above);
}

/** Where the CLI looks for a plugin of this version. */
const isHere = (name: string, version: string): boolean =>
  [
    path.join(process.env["PULUMI_HOME"] ?? "", "plugins", `resource-${name}-v${version}`),
    ...(process.env["PATH"] ?? "")
      .split(path.delimiter)
      .map((each) => path.join(each, `pulumi-resource-${name}`)),
  ].some((place) => fs.existsSync(place));

/**
 * The packages of the program that have a plugin. One whose plugin is not here is left out: the CLI would refuse to run the program, or try to
 * download it in vain, for a package of which the stack may use nothing. A resource that does need it says so itself.
 */
function requiredPackages(folder: string): PackageDependency[] {
  const own = packageOf(path.resolve(folder));
  if (own === undefined) return [];
  const found = Object.keys(packageFile(own).dependencies ?? {})
    .map((name) => path.join(path.dirname(own), "node_modules", name, "package.json"))
    .filter((file) => fs.existsSync(file))
    .map(packageFile);
  return found
    .filter(({ pulumi }) => pulumi?.resource === true)
    .map((each) => ({ ...each, plugin: each.pulumi?.name ?? each.name.replace(/^@pulumi\//, "") }))
    .filter((each) => isHere(each.plugin, each.version))
    .map((each) => {
      const dependency = new PackageDependency();
      dependency.setName(each.plugin);
      dependency.setVersion(`v${each.version}`);
      dependency.setKind("resource");
      return dependency;
    });
}

listen(LanguageRuntimeService, {
  handshake: answer(() => new language.LanguageHandshakeResponse()),
  getPluginInfo: answer(() => info(version)),
  getRequiredPackages: answer((request: language.GetRequiredPackagesRequest) => {
    const response = new language.GetRequiredPackagesResponse();
    response.setPackagesList(requiredPackages(request.getInfo()?.getProgramDirectory() ?? "."));
    return response;
  }),
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
  runPlugin,
  cancel: answer(() => (stop(), nothing())),
});
