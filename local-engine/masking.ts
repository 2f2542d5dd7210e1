// Keeps secrets out of everything that is printed.

import { type Properties, secretStrings } from "./properties";

/** Shorter ones are common words and numbers; masking them would make output unreadable and hide nothing. */
const SHORTEST = 5;
const MASK = "[secret]";

export class Mask {
  private readonly known = new Set<string>();
  private pattern: RegExp | undefined;

  /** Everything secret in these values is never printed from now on. */
  learn(values: Properties | undefined): void {
    if (values === undefined) return;
    for (const text of secretStrings(values)) this.learnText(text);
  }

  learnText(text: string): void {
    // Output is often printed line by line, and often as JSON: a key in PEM form must not slip through either way.
    for (const part of [text, JSON.stringify(text).slice(1, -1), ...text.split(/\r?\n/)]) {
      const trimmed = part.trim();
      if (trimmed.length < SHORTEST || /^-----[A-Z ]+-----$/.test(trimmed) || this.known.has(trimmed))
        continue;
      this.known.add(trimmed);
      this.pattern = undefined;
    }
  }

  hide(text: string): string {
    if (this.known.size === 0) return text;
    // The longest first: a secret may be part of another one.
    this.pattern ??= new RegExp(
      [...this.known]
        .sort((left, right) => right.length - left.length)
        .map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join("|"),
      "g",
    );
    return text.replace(this.pattern, MASK);
  }
}
