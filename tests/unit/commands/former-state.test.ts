import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { processId } from "../../../commands/processes";
import { pulumiCli } from "../../../commands/pulumi-cli";

/** Answers as the CLI does of a backend whose stack has what the file `resources` says; what it was asked is in `asked`. */
const CLI = `#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/asked"
case "$1 $2" in
  "stack export") printf '{"deployment":{"resources":[%s]}}' "$(cat "$here/resources")" ;;
esac
`;

describe("what the local engine brought up, the Pulumi CLI takes over", () => {
  let folder: string;
  const environment = { ...process.env };
  const file = (name: string): string => path.join(folder, name);
  const write = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(file(name)), { recursive: true });
    fs.writeFileSync(file(name), text, { mode: 0o755 });
  };
  const asked = (): readonly string[] => fs.readFileSync(file("bin/asked"), "utf8").split("\n");
  const imports = (): readonly string[] => asked().filter((line) => line.startsWith("stack import"));
  const prepare = (verb?: string): Promise<void> =>
    pulumiCli("dev", { settings: file("Pulumi.dev.yaml"), state: file("state") }).prepare(verb);

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "former-state-"));
    write("bin/pulumi", CLI);
    write("bin/pulumi-language-nodejs", "");
    write("bin/resources", "");
    write("Pulumi.dev.yaml", "config: {}\n");
    write("state/local-engine/dev.json", '{"version":3,"deployment":{"resources":[{},{}]}}');
    process.env["PATH"] = `${file("bin")}${path.delimiter}${environment["PATH"]}`;
    process.env["PULUMI_HOME"] = file("home");
    delete process.env["PULUMI_BACKEND_URL"];
  });
  afterEach(() => {
    process.env = { ...environment };
    fs.rmSync(folder, { recursive: true });
  });

  test("with its state as it is, once; the file stays under another name", async () => {
    await prepare();
    expect(imports()).toEqual([
      expect.stringContaining(`stack import --file ${file("state/local-engine/dev.json")} --stack dev`),
    ]);
    expect(fs.readdirSync(file("state/local-engine"))).toEqual(["dev.json.taken-over"]);
    await prepare();
    expect(imports()).toHaveLength(1);
  });

  test("not where the CLI has resources of the stack: a verb that works with them says so, with the way out", async () => {
    const said = jest.spyOn(console, "error").mockReturnValue();
    write("bin/resources", "{}");
    await prepare();
    expect(said).not.toHaveBeenCalled();
    await prepare("preview");
    expect(said).toHaveBeenCalledWith(
      expect.stringMatching(
        /\(2 resources, .*dev\.json\)\. It is ignored, because the Pulumi CLI's backend has 1\. If .* rename/,
      ),
    );
    expect(imports()).toEqual([]);
    said.mockRestore();
  });

  test("not where the CLI has resources of the stack, and not where there is nothing any more", async () => {
    write("bin/resources", "{}");
    await prepare();
    write("bin/resources", "");
    write("state/local-engine/dev.json", '{"version":3,"deployment":{"resources":[]}}');
    await prepare();
    expect(imports()).toEqual([]);
    expect(fs.readdirSync(file("state/local-engine"))).toEqual(["dev.json"]);
  });

  test("not while a run of the local engine changes it", async () => {
    write("state/local-engine/dev.lock", JSON.stringify(processId(process.pid)));
    await expect(prepare()).rejects.toThrow(
      `the local engine is changing the stack dev (process ${process.pid}), whose state the Pulumi CLI would take over`,
    );
    expect(imports()).toEqual([]);
  });

  test("not into a backend of the user's, whose secrets have another key: it says how to get there", async () => {
    process.env["PULUMI_BACKEND_URL"] = `file://${folder}`;
    await expect(prepare()).rejects.toThrow(
      /the former local engine has 2 resources of the stack dev .*Run 'pulumi logout' and then make again: it imports them/,
    );
    expect(imports()).toEqual([]);
    expect(fs.readdirSync(file("state/local-engine"))).toEqual(["dev.json"]);
  });
});
