import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PROJECT } from "../../../commands/programs";
import { layOutPlugins, pulumiProgram } from "../../../commands/pulumi-program";

describe("which Pulumi CLI deploys, and with which plugins (C1)", () => {
  let folder: string;
  const before = { ...process.env };
  const program = (...parts: string[]): string => {
    const file = path.join(folder, ...parts);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
    return file;
  };

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-program-"));
    process.env["XDG_CACHE_HOME"] = path.join(folder, "cache");
    process.env["PATH"] = [path.join(folder, "bin"), "/usr/bin", "/bin"].join(path.delimiter);
  });
  afterEach(() => {
    process.env = { ...before };
    fs.rmSync(folder, { recursive: true });
  });

  test("none, where there is none on PATH and tools/pulumi has got none", () => {
    expect(pulumiProgram()).toBeUndefined();
  });

  test("the user's comes first, with the plugins that its release has beside it, also through a link", () => {
    program("release/pulumi-language-nodejs");
    fs.mkdirSync(path.join(folder, "bin"));
    fs.symlinkSync(program("release/pulumi"), path.join(folder, "bin/pulumi"));
    expect(pulumiProgram()).toEqual({ folder: undefined, hasPlugins: true });
  });

  test("one without a language host gets ours", () => {
    program("bin/pulumi");
    expect(pulumiProgram()).toEqual({ folder: undefined, hasPlugins: false });
  });

  test("ours lie in a home under the versions that the SDK's packages ask for; doing it again changes nothing", () => {
    const home = path.join(folder, "home");
    layOutPlugins(home);
    layOutPlugins(home);
    const versionOf = (name: string): string => {
      const text = fs.readFileSync(path.join(PROJECT, "node_modules", name, "package.json"), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    };
    const sdk = versionOf("@pulumi/pulumi");
    const laid = fs.readdirSync(path.join(home, "plugins")).sort();
    expect(laid).toEqual([
      `language-nodejs-v${sdk}`,
      `resource-docker-v${versionOf("@pulumi/docker")}`,
      `resource-pulumi-nodejs-v${sdk}`,
      `resource-random-v${versionOf("@pulumi/random")}`,
    ]);
    for (const plugin of laid) {
      const [file, ...others] = fs.readdirSync(path.join(home, "plugins", plugin));
      expect([file, others]).toEqual([`pulumi-${plugin.replace(/-v[\d.]+$/, "")}`, []]);
      fs.accessSync(path.join(home, "plugins", plugin, file!), fs.constants.X_OK);
    }
  });
});
