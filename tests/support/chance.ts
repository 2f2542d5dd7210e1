import { createHash, randomInt } from "node:crypto";

/** What SEED says, else a new one. Whoever uses it prints it: it is how a failure is repeated. */
export function seed(given: string | undefined = process.env["SEED"]): number {
  if (given === undefined || given === "") return randomInt(1, 2 ** 31);
  if (!/^[0-9]{1,10}$/.test(given)) throw new Error(`SEED=${given}: a whole number of at most ten digits`);
  return Number(given);
}

/**
 * Chance that can be repeated: the same seed and labels give the same sequence. The labels say what it is for, so that leaving one
 * thing out, or doing it later, changes nothing about the others.
 */
export class Chance {
  private readonly key: string;
  private drawn = 0;

  constructor(seed: number, ...labels: readonly string[]) {
    this.key = JSON.stringify([seed, ...labels]);
  }

  /** At least 0, less than 1. */
  next(): number {
    const digest = createHash("sha256").update(`${this.key} ${this.drawn++}`).digest();
    return digest.readUIntBE(0, 6) / 2 ** 48;
  }

  /** A whole number of this range, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error("nothing to pick from");
    return from[this.between(0, from.length - 1)] as T;
  }
}
