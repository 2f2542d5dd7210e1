/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index here is in range by construction */
// The bcrypt hash of a generated password (RandomPassword's output bcryptHash). Node has no bcrypt, and one output
// is no reason for a native dependency: Blowfish with its key schedule made expensive is short.
// Provos and Mazières, "A Future-Adaptable Password Scheme", 1999.

import { randomBytes } from "node:crypto";

const COST = 10;
const ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Blowfish starts from the fraction of pi: 18 words of round keys and four boxes of 256. */
let pi: Uint32Array | undefined;

function piWords(): Uint32Array {
  if (pi !== undefined) return pi;
  const words = 18 + 4 * 256;
  const guard = 64n;
  const one = 1n << (BigInt(words * 32) + guard);
  // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)
  const arctan = (inverse: bigint): bigint => {
    let power = one / inverse;
    let sum = power;
    for (let n = 3n, sign = -1n; power !== 0n; n += 2n, sign = -sign) {
      power /= inverse * inverse;
      sum += (sign * power) / n;
    }
    return sum;
  };
  const hex = ((16n * arctan(5n) - 4n * arctan(239n)) >> guard).toString(16).slice(1);
  pi = Uint32Array.from({ length: words }, (_, i) => parseInt(hex.slice(i * 8, i * 8 + 8), 16));
  return pi;
}

class Blowfish {
  private readonly p: Uint32Array;
  private readonly s: Uint32Array;

  constructor() {
    const words = piWords();
    this.p = words.slice(0, 18);
    this.s = words.slice(18);
  }

  /** Encrypts the block at `at` in place. */
  encipher(block: Uint32Array, at: number): void {
    const { p, s } = this;
    let left = block[at]! ^ p[0]!;
    let right = block[at + 1]!;
    for (let round = 1; round <= 16; round += 2) {
      right ^=
        (((s[left >>> 24]! + s[256 + ((left >>> 16) & 255)]!) ^ s[512 + ((left >>> 8) & 255)]!) +
          s[768 + (left & 255)]!) ^
        p[round]!;
      left ^=
        (((s[right >>> 24]! + s[256 + ((right >>> 16) & 255)]!) ^ s[512 + ((right >>> 8) & 255)]!) +
          s[768 + (right & 255)]!) ^
        p[round + 1]!;
    }
    block[at] = right ^ p[17]!;
    block[at + 1] = left;
  }

  /** Mixes a key, and a salt if there is one, into all round keys and boxes. */
  expand(key: Uint32Array, salt?: Uint32Array): void {
    for (let i = 0; i < 18; i++) this.p[i]! ^= key[i % key.length]!;
    const block = new Uint32Array(2);
    let fed = 0;
    for (const target of [this.p, this.s]) {
      for (let i = 0; i < target.length; i += 2) {
        if (salt !== undefined) {
          block[0]! ^= salt[fed % 4]!;
          block[1]! ^= salt[(fed + 1) % 4]!;
          fed += 2;
        }
        this.encipher(block, 0);
        target[i] = block[0]!;
        target[i + 1] = block[1]!;
      }
    }
  }
}

/** `bytes` repeated without end, as the first `count` big-endian words. */
function cycledWords(bytes: Uint8Array, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) =>
    [0, 1, 2, 3].reduce((word, j) => (word << 8) | bytes[(i * 4 + j) % bytes.length]!, 0),
  );
}

/** bcrypt's own base 64: another alphabet, no padding. */
function encode(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let j = 0; j <= Math.min(3, bytes.length - i); j++)
      text += ALPHABET.charAt((group >>> (18 - 6 * j)) & 63);
  }
  return text;
}

export function bcryptHash(password: string, saltBytes: Uint8Array = randomBytes(16), cost = COST): string {
  // The key ends with a zero byte; 72 bytes are all that the round keys can take.
  const key = cycledWords(
    Buffer.concat([Buffer.from(password, "utf8"), Buffer.alloc(1)]).subarray(0, 72),
    18,
  );
  const salt = cycledWords(saltBytes, 4);
  const saltKey = cycledWords(saltBytes, 18);
  const cipher = new Blowfish();
  cipher.expand(key, salt);
  for (let round = 0; round < 2 ** cost; round++) {
    cipher.expand(key);
    cipher.expand(saltKey);
  }
  const text = cycledWords(Buffer.from("OrpheanBeholderScryDoubt"), 6);
  for (let round = 0; round < 64; round++) {
    for (let block = 0; block < 6; block += 2) cipher.encipher(text, block);
  }
  const digest = Buffer.alloc(24);
  text.forEach((word, i) => digest.writeUInt32BE(word, i * 4));
  return `$2a$${String(cost).padStart(2, "0")}$${encode(saltBytes)}${encode(digest.subarray(0, 23))}`;
}
