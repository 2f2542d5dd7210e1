// Encryption of secrets with a passphrase, in the format of Pulumi's own passphrase provider, so that a state can
// move between this engine and the CLI. Key: PBKDF2 with SHA-256; values: AES-256-GCM, `v1:<nonce>:<ciphertext and tag>`.

import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { Fault } from "./fault";
import { isSecret, SECRET, SIGNATURE, type Value } from "./properties";

const ITERATIONS = 1_000_000;
const TAG_BYTES = 16;
/** What the salt string proves knowledge of: a wrong passphrase fails to decrypt this word. */
const PROOF = "pulumi";

export function readPassphrase(env: NodeJS.ProcessEnv): string {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE;
  if (file === undefined || file === "") {
    throw new Fault(
      "no passphrase for the secrets in the state: set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it",
    );
  }
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Fault(`PULUMI_CONFIG_PASSPHRASE_FILE: ${file} cannot be read: ${(error as Error).message}`);
  }
}

export class Crypter {
  /** Ciphertexts by the object they were made from, so that an untouched secret keeps its text from save to save. */
  private readonly known = new WeakMap<object, string>();

  private constructor(
    private readonly key: Buffer,
    /** `v1:<salt>:<proof>`, kept beside what was encrypted. */
    readonly salt: string,
  ) {}

  static async create(passphrase: string): Promise<Crypter> {
    const bytes = randomBytes(8);
    const key = await deriveKey(passphrase, bytes);
    return new Crypter(key, `v1:${bytes.toString("base64")}:${encrypt(key, PROOF)}`);
  }

  static async open(passphrase: string, salt: string): Promise<Crypter> {
    const [version, bytes, ...proof] = salt.split(":");
    if (version !== "v1" || bytes === undefined) throw new Fault("the encryption salt has an unknown format");
    const key = await deriveKey(passphrase, Buffer.from(bytes, "base64"));
    try {
      if (decrypt(key, proof.join(":")) === PROOF) return new Crypter(key, salt);
    } catch {
      // falls through to the one message that helps
    }
    throw new Fault(
      "the passphrase is wrong: it is not the one that the secrets of this stack were encrypted with",
    );
  }

  decryptText(ciphertext: string): string {
    return decrypt(this.key, ciphertext);
  }

  /** A copy for the file: every secret as its ciphertext. */
  seal(value: Value): Value {
    if (Array.isArray(value)) return value.map((item) => this.seal(item));
    if (typeof value !== "object" || value === null) return value;
    if (isSecret(value)) {
      let ciphertext = this.known.get(value);
      if (ciphertext === undefined) {
        ciphertext = encrypt(this.key, JSON.stringify(value.value));
        this.known.set(value, ciphertext);
      }
      return { [SIGNATURE]: SECRET, ciphertext };
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.seal(item)]));
  }

  /** A copy for the engine: every ciphertext as the secret it holds. */
  open(value: Value): Value {
    if (Array.isArray(value)) return value.map((item) => this.open(item));
    if (typeof value !== "object" || value === null) return value;
    if (value[SIGNATURE] === SECRET) {
      const { ciphertext, plaintext } = value;
      const text = typeof ciphertext === "string" ? this.decryptText(ciphertext) : (plaintext as string);
      const opened = { [SIGNATURE]: SECRET, value: JSON.parse(text) as Value };
      if (typeof ciphertext === "string") this.known.set(opened, ciphertext);
      return opened;
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.open(item)]));
  }
}

/** A copy with secrets in clear, as `pulumi stack export --show-secrets` prints them. */
export function reveal(value: Value): Value {
  if (Array.isArray(value)) return value.map(reveal);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return { [SIGNATURE]: SECRET, plaintext: JSON.stringify(value.value) };
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));
}

function deriveKey(passphrase: string, salt: Buffer): Promise<Buffer> {
  return promisify(pbkdf2)(passphrase, salt, ITERATIONS, 32, "sha256");
}

function encrypt(key: Buffer, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
}

function decrypt(key: Buffer, ciphertext: string): string {
  const [version, nonce = "", sealed = ""] = ciphertext.split(":");
  if (version !== "v1") throw new Fault("a ciphertext has an unknown format");
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
}
