// Formats that belong to Pulumi, against values that its CLI wrote.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProject, readStackSettings, resolveConfig, needsCli } from "../project";
import { SECRET, secret, SIGNATURE } from "../properties";
import { Crypter } from "../secrets";
import { Snapshot } from "../state";

const SALT = "v1:ZaVBsz3MlBQ=:v1:s9Hp+m0e++KHSFsC:/1lU0ZvsQZXnt0IhKiaW4xDcLhQi6Q==";
const CIPHERTEXT = "v1:tvZU6UwQqi45eEbA:XLUd4BVnydAIVoFUIrh7lls43h/iCGZDpLz5jQ==";

const folder = mkdtempSync(join(tmpdir(), "local-engine-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("secrets of the CLI's passphrase provider are opened, and ours are sealed the same way", async () => {
  const crypter = await Crypter.open("pw", SALT);
  expect(crypter.open({ [SIGNATURE]: SECRET, ciphertext: CIPHERTEXT })).toEqual(secret("geheim-123"));
  const sealed = crypter.seal({ a: [secret({ deep: 1 })] });
  expect(JSON.stringify(sealed)).not.toContain("deep");
  expect(crypter.open(sealed)).toEqual({ a: [secret({ deep: 1 })] });
  const own = await Crypter.create("other");
  expect(
    (await Crypter.open("other", own.salt)).decryptText(
      (own.seal(secret("x")) as { ciphertext: string }).ciphertext,
    ),
  ).toBe('"x"');
});

test("a secret that nothing touched keeps its ciphertext, so that the state changes only where something did", async () => {
  const crypter = await Crypter.open("pw", SALT);
  const opened = crypter.open({ [SIGNATURE]: SECRET, ciphertext: CIPHERTEXT });
  expect(crypter.seal(opened)).toEqual({ [SIGNATURE]: SECRET, ciphertext: CIPHERTEXT });
});

test("at every moment a resource stands in the state after what it depends on", async () => {
  const crypter = await Crypter.open("pw", SALT);
  const state = (name: string, dependencies: string[] = []) => ({
    urn: `urn:pulumi:dev::p::t:i:T::${name}`,
    custom: true,
    type: "t:i:T",
    dependencies,
  });
  const [a, b] = [state("a"), state("b", ["urn:pulumi:dev::p::t:i:T::a"])];
  const file = join(folder, "order", "dev.json");
  const snapshot = new Snapshot(undefined, crypter, file);
  snapshot.settle({ add: a });
  snapshot.settle({ add: b });
  const next = { ...a, id: "new" };
  snapshot.settle({ remove: a, add: next });
  expect(snapshot.resources()).toEqual([next, b]);
  snapshot.substitute(b, { ...b, delete: true });
  expect(snapshot.find(b.urn)).toBeUndefined();
  expect(snapshot.resources()).toHaveLength(2);
});

test("settings: the stack's values over the project's defaults, objects as JSON, encrypted values decrypted and named", async () => {
  mkdirSync(join(folder, "project"));
  const write = (name: string, text: string) => writeFileSync(join(folder, "project", name), text);
  write(
    "Pulumi.yaml",
    "name: p\nruntime: nodejs\nmain: index.ts\nconfig:\n  size: {type: integer, default: 3}\n  plain: text\n  needed: {type: string}\n",
  );
  write("index.ts", "");
  write(
    "Pulumi.dev.yaml",
    `encryptionsalt: ${SALT}\nconfig:\n  p:needed: x\n  p:tree: {a: [1]}\n  p:password: {secure: "${CIPHERTEXT}"}\n  other:key: y\n`,
  );
  const project = readProject(join(folder, "project"));
  expect(project).toMatchObject({ name: "p", entry: "index.ts", typescript: true });
  const config = resolveConfig(project, readStackSettings(project, "dev"), await Crypter.open("pw", SALT));
  // The ciphertext was made for a state, whose plaintext is JSON; a setting's is the bare text.
  expect(config).toEqual({
    values: {
      "p:size": "3",
      "p:plain": "text",
      "p:needed": "x",
      "p:tree": '{"a":[1]}',
      "p:password": '"geheim-123"',
      "other:key": "y",
    },
    secretKeys: ["p:password"],
  });
  write("Pulumi.bad.yaml", "config:\n  p:size: many\n  p:needed: x\n");
  const crypter = await Crypter.open("pw", SALT);
  expect(() => resolveConfig(project, readStackSettings(project, "bad"), crypter)).toThrow(
    "'p:size' must be of type 'integer'",
  );
  write("Pulumi.none.yaml", "");
  expect(() => resolveConfig(project, readStackSettings(project, "none"), crypter)).toThrow(
    "missing required configuration variable 'p:needed'",
  );
  write("Pulumi.prod.yaml", "config:\n  p:platform: kubernetes\n");
  expect(needsCli(project, readStackSettings(project, "prod"))).toBe(true);
  expect(needsCli(project, readStackSettings(project, "dev"))).toBe(false);
});
