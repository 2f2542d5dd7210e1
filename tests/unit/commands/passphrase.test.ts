import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { passphraseProblem } from "../../../commands/passphrase";

/** As the CLI wrote it for the passphrase "pw". */
const SALT = "v1:ZaVBsz3MlBQ=:v1:s9Hp+m0e++KHSFsC:/1lU0ZvsQZXnt0IhKiaW4xDcLhQi6Q==";

describe("a passphrase that opens no secrets is named, with where it comes from", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "passphrase-"));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "passphrase");
  const ofFile = { PULUMI_CONFIG_PASSPHRASE_FILE: file };

  test("the one that the stack was made with is none", async () => {
    fs.writeFileSync(file, "pw\n");
    expect(await passphraseProblem(SALT, { PULUMI_CONFIG_PASSPHRASE: "pw" })).toBeUndefined();
    expect(await passphraseProblem(SALT, ofFile)).toBeUndefined();
  });

  test("nor is one of a stack without secrets, or where something else keeps the key", async () => {
    expect(await passphraseProblem(undefined, { PULUMI_CONFIG_PASSPHRASE: "any" })).toBeUndefined();
    expect(await passphraseProblem(SALT, {})).toBeUndefined();
  });

  test.each([
    [
      "of the environment",
      { PULUMI_CONFIG_PASSPHRASE: "other" },
      /of PULUMI_CONFIG_PASSPHRASE is not the one/,
    ],
    ["of a file", ofFile, /passphrase \(PULUMI_CONFIG_PASSPHRASE_FILE\) is not the one/],
    ["that is empty", { PULUMI_CONFIG_PASSPHRASE: "" }, /of PULUMI_CONFIG_PASSPHRASE is not the one/],
  ])("another one %s", async (_, env, problem) => {
    fs.writeFileSync(file, "other\n");
    expect(await passphraseProblem(SALT, env)).toMatch(problem);
  });

  test("a file that is not there", async () => {
    expect(await passphraseProblem(SALT, { PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" })).toMatch(
      /^\/nowhere \(PULUMI_CONFIG_PASSPHRASE_FILE\) does not exist: write .* or set PULUMI_CONFIG_PASSPHRASE$/,
    );
  });
});
