/** This process's terminal, handed to a program that runs elsewhere. */
import type { Readable } from "node:stream";

export interface Terminal {
  /** Whether a person sits at it; else the input is a file or a pipe, and no terminal is to be made there either. */
  readonly interactive: boolean;
  readonly input: Readable;
}

/** Lends the terminal, in raw mode so that every key goes to the program; gives it back whatever happens. */
export async function withTerminal<T>(use: (terminal: Terminal) => Promise<T>): Promise<T> {
  const { PassThrough } = require("node:stream") as typeof import("node:stream");
  const { isatty } = require("node:tty") as typeof import("node:tty");
  const { stdin } = process;
  const interactive = isatty(0) && isatty(1);
  const input = new PassThrough();
  if (interactive) stdin.setRawMode(true);
  stdin.pipe(input);
  try {
    return await use({ interactive, input });
  } finally {
    stdin.unpipe(input);
    // A process that still reads would not end.
    stdin.pause();
    if (interactive) stdin.setRawMode(false);
  }
}
