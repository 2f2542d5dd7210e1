import { createDecipheriv, pbkdf2 } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { STATE } from "./programs";

const derived = promisify(pbkdf2);

/** Of this machine's own passphrase, which scripts/setup.sh makes. */
const OWN = path.join(STATE, "passphrase");

/** The variables that name a passphrase: the user's, else this machine's own. */
export function passphraseVariables(): NodeJS.ProcessEnv {
  const given = process.env["PULUMI_CONFIG_PASSPHRASE"] ?? process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  return given === undefined ? { PULUMI_CONFIG_PASSPHRASE_FILE: OWN } : {};
}

/**
 * What is wrong with the passphrase, and the way out; undefined: nothing is. The CLI says only that it is incorrect.
 * @param salt `encryptionsalt` of the stack's settings; undefined: nothing has been encrypted yet
 */
export async function passphraseProblem(
  salt: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const file = env["PULUMI_CONFIG_PASSPHRASE_FILE"] ?? "";
  const ofFile = env["PULUMI_CONFIG_PASSPHRASE"] === undefined;
  if (ofFile && file === "") return undefined;
  const from = ofFile ? `in ${file} (PULUMI_CONFIG_PASSPHRASE_FILE)` : "of PULUMI_CONFIG_PASSPHRASE";
  if (ofFile && !fs.existsSync(file))
    return `there is no ${file} (PULUMI_CONFIG_PASSPHRASE_FILE): put the passphrase of the stack's secrets there, or set PULUMI_CONFIG_PASSPHRASE`;
  const passphrase = env["PULUMI_CONFIG_PASSPHRASE"] ?? fs.readFileSync(file, "utf8").trim();
  if (salt === undefined || (await opens(passphrase, salt))) return undefined;
  return `the passphrase ${from} is not the one that the stack's secrets are encrypted with: give that one; nothing can be decrypted without it. Nothing was changed`;
}

/**
 * Whether it is the passphrase of which this is the salt: `v1:<salt>:v1:<nonce>:<ciphertext>`, of the text "pulumi"
 * (https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/config/crypt.go).
 */
async function opens(passphrase: string, salt: string): Promise<boolean> {
  const [, own = "", , nonce = "", sealed = ""] = salt.split(":");
  const key = await derived(passphrase, Buffer.from(own, "base64"), 1_000_000, 32, "sha256");
  const text = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(text.subarray(-16));
  try {
    return decipher.update(text.subarray(0, -16), undefined, "utf8") + decipher.final("utf8") === "pulumi";
  } catch {
    return false;
  }
}
