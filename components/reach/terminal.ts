/** Connects this process's terminal to a program that runs elsewhere. */
import type { Readable } from "node:stream";

export interface Terminal {
  /** False if the input or output is a file or a pipe: then the program must not get a terminal either. */
  readonly interactive: boolean;
  readonly input: Readable;
}

/** Switches the terminal to raw mode, so that every key goes to the program, and always restores it. */
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
    // A process that still reads its input would not exit.
    stdin.pause();
    if (interactive) stdin.setRawMode(false);
  }
}
