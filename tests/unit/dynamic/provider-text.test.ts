import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { PROJECT } from "../../../commands/engine";
import { authorityProvider } from "../../../components/certificates/authority-provider";
import { DynamicResource } from "../../../components/dynamic/resource";

/** The providers of the components, with where they are. */
const PROVIDERS = fs
  .globSync("components/**/*.ts", { cwd: PROJECT })
  .flatMap((file) =>
    [...fs.readFileSync(path.join(PROJECT, file), "utf8").matchAll(/^export const (\w+Provider)\b/gm)].map(
      ([, name = ""]) => ({ file, name }),
    ),
  );

/** As for the program of a stack. */
const PRELUDE = ["lazy-modules.js", "typescript.js"].map(
  (file) => `require(${JSON.stringify(path.join(PROJECT, "scripts", file))})`,
);
const SET_UP = `${PRELUDE.join(";")}.register();`;

/** A package of its own with the class under test, so that its sources can be changed. */
function packageOf(files: Readonly<Record<string, string>>) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "provider-text-"));
  const write = (file: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), text);
  };
  fs.mkdirSync(path.join(root, "node_modules"));
  for (const name of ["@pulumi", "require-from-string"])
    fs.symlinkSync(path.join(PROJECT, "node_modules", name), path.join(root, "node_modules", name));
  fs.mkdirSync(path.join(root, "components/dynamic"), { recursive: true });
  fs.copyFileSync(
    path.join(PROJECT, "components/dynamic/resource.ts"),
    path.join(root, "components/dynamic/resource.ts"),
  );
  for (const [file, text] of Object.entries(files)) write(file, text);
  return {
    write,
    cache: path.join(root, "node_modules/.cache/providers"),
    /** What a new process registers of the provider in components/thing.ts. */
    text: (): string =>
      execFileSync(
        process.execPath,
        [
          "-e",
          `${SET_UP}
           const { DynamicResource } = require("./components/dynamic/resource.ts");
           const { thingProvider } = require("./components/thing.ts");
           DynamicResource.text(thingProvider, "test:Thing").then((text) => process.stdout.write(text));`,
        ],
        { cwd: root, encoding: "utf8", stdio: "pipe" },
      ),
    remove: () => fs.rmSync(root, { recursive: true }),
  };
}

describe("what Pulumi keeps of a provider (P2)", () => {
  const THING = `import { greeting } from "./helper";
    export const thingProvider = { create: () => Promise.resolve({ id: greeting(), outs: {} }) };`;
  const helper = (word: string): string => `export const greeting = (): string => ${JSON.stringify(word)};`;
  let made: ReturnType<typeof packageOf>;
  beforeEach(
    () => (made = packageOf({ "components/thing.ts": THING, "components/helper.ts": helper("one") })),
  );
  afterEach(() => made.remove());

  test("is serialised once and read from then on", () => {
    const text = made.text();
    expect(text).toContain('"one"');
    const [file = "", ...others] = fs.readdirSync(made.cache);
    expect(others).toEqual([]);
    fs.appendFileSync(path.join(made.cache, file), "// kept");
    expect(made.text()).toBe(`${text}// kept`);
  });

  test("is serialised again when something changed that it uses", () => {
    made.text();
    made.write("components/helper.ts", helper("two"));
    expect(made.text()).toContain('"two"');
    made.write("components/thing.ts", THING.replace("outs: {}", "outs: { more: true }"));
    expect(made.text()).toContain("more: true");
    expect(fs.readdirSync(made.cache)).toHaveLength(3);
  });

  test("is serialised where nothing can be kept", () => {
    fs.writeFileSync(path.dirname(made.cache), "no folder");
    expect(made.text()).toContain('"one"');
  });

  test("is what pulumi.dynamic.Resource would register", async () => {
    const registered: Record<string, unknown> = {};
    await pulumi.runtime.setMocks({
      newResource: ({ name, type, inputs }) => {
        registered[name] = { type, text: (inputs as { __provider: string }).__provider };
        return { id: name, state: {} };
      },
      call: () => ({}),
    });
    class Theirs extends pulumi.dynamic.Resource {
      constructor() {
        super(authorityProvider, "theirs", {}, {}, "certificates", "CertificateAuthority");
      }
    }
    class Ours extends DynamicResource {
      constructor() {
        super(authorityProvider, "ours", {}, {}, "certificates", "CertificateAuthority");
      }
    }
    await Promise.all(
      [new Theirs(), new Ours()].map(({ urn }) => new Promise((resolve) => urn.apply(resolve))),
    );
    expect(registered["ours"]).toEqual(registered["theirs"]);
  });

  test("follows from sources and packages alone: the same in another folder and environment", async () => {
    expect(PROVIDERS.length).toBeGreaterThan(10);
    const texts = async (cwd: string, env: NodeJS.ProcessEnv): Promise<string> => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          "-e",
          `${SET_UP}
           const { runtime } = require(${JSON.stringify(path.join(PROJECT, "node_modules/@pulumi/pulumi"))});
           const texts = ${JSON.stringify(PROVIDERS)}.map(async ({ file, name }) => {
             const provider = require(${JSON.stringify(`${PROJECT}/`)} + file)[name];
             return (await runtime.serializeFunction(() => provider)).text;
           });
           Promise.all(texts).then((all) => process.stdout.write(JSON.stringify(all)));`,
        ],
        { cwd, env, maxBuffer: 64 * 1024 * 1024 },
      );
      return stdout;
    };
    const [there, here] = await Promise.all([
      texts(os.tmpdir(), { HOME: "/nowhere", TZ: "Asia/Tokyo", DOCKER_HOST: "tcp://nowhere:1" }),
      texts(PROJECT, process.env),
    ]);
    expect(there).toBe(here);
    expect(here).toContain("create");
  });
});
