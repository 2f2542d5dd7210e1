import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { PROJECT } from "../../../commands/engine";
import { authorityProvider } from "../../../components/certificates/authority-provider";
import { configured, DynamicResource } from "../../../components/dynamic/resource";
import { serialisedElsewhere } from "../../support/providers";

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
  const needed = [
    "components/dynamic/resource.ts",
    "components/dynamic/reason.ts",
    "components/platform/meant-cluster.ts",
  ];
  for (const file of needed) write(file, fs.readFileSync(path.join(PROJECT, file), "utf8"));
  for (const [file, text] of Object.entries(files)) write(file, text);
  return {
    root,
    write,
    cache: path.join(root, "node_modules/.cache/providers"),
    remove: () => fs.rmSync(root, { recursive: true }),
  };
}

describe("what Pulumi keeps of a provider (P2)", () => {
  const THING = `import { greeting } from "./helper";
    export const thingProvider = { create: () => Promise.resolve({ id: greeting(), outs: {} }) };`;
  const helper = (word: string): string => `export const greeting = (): string => ${JSON.stringify(word)};`;
  let made: ReturnType<typeof packageOf>;
  let registrant: ChildProcess;
  beforeAll(() => void (registrant = fork(path.join(__dirname, "registrant.js"))));
  afterAll(() => void registrant.kill());
  const registered = async (): Promise<string> => {
    registrant.send(made.root);
    const ended = once(registrant, "exit").then(() => {
      throw new Error("the process that registers has ended");
    });
    const [text] = (await Promise.race([once(registrant, "message"), ended])) as [string];
    return text;
  };
  beforeEach(
    () => (made = packageOf({ "components/thing.ts": THING, "components/helper.ts": helper("one") })),
  );
  afterEach(() => made.remove());

  test("is serialised once and read from then on", async () => {
    const text = await registered();
    expect(text).toContain('"one"');
    const [file = "", ...others] = fs.readdirSync(made.cache);
    expect(others).toEqual([]);
    fs.appendFileSync(path.join(made.cache, file), "// kept");
    expect(await registered()).toBe(`${text}// kept`);
  });

  test("is serialised again when something changed that it uses", async () => {
    await registered();
    made.write("components/helper.ts", helper("two"));
    expect(await registered()).toContain('"two"');
    made.write("components/thing.ts", THING.replace("outs: {}", "outs: { more: true }"));
    expect(await registered()).toContain("more: true");
    expect(fs.readdirSync(made.cache)).toHaveLength(3);
  });

  test("is serialised where nothing can be kept", async () => {
    fs.writeFileSync(path.dirname(made.cache), "no folder");
    expect(await registered()).toContain('"one"');
  });

  test("is what pulumi.dynamic.Resource would register", async () => {
    const seen: Record<string, unknown> = {};
    await pulumi.runtime.setMocks({
      newResource: ({ name, type, inputs }) => {
        seen[name] = { type, text: (inputs as { __provider: string }).__provider };
        return { id: name, state: {} };
      },
      call: () => ({}),
    });
    class Theirs extends pulumi.dynamic.Resource {
      constructor() {
        super(configured(authorityProvider), "theirs", {}, {}, "certificates", "CertificateAuthority");
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
    expect(seen["ours"]).toEqual(seen["theirs"]);
  });

  test("follows from sources and packages alone: the same in another folder and environment", async () => {
    const here = fs.readFileSync(process.env["PROVIDER_TEXTS"]!, "utf8");
    expect(Object.keys(JSON.parse(here) as object).length).toBeGreaterThan(10);
    expect(here).toContain("create");
    const elsewhere = { HOME: "/nowhere", TZ: "Asia/Tokyo", DOCKER_HOST: "tcp://nowhere:1" };
    expect(await serialisedElsewhere(os.tmpdir(), elsewhere)).toBe(here);
  });
});
