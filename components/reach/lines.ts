/** Splits streamed text into lines. */
import type { Writable } from "node:stream";

/** A stream that calls `line` for each line written to it, without the line break; also for a last line without one. */
export function lineStream(line: (text: string) => void): Writable {
  const { Writable: Stream } = require("node:stream") as typeof import("node:stream");
  const { StringDecoder } = require("node:string_decoder") as typeof import("node:string_decoder");
  const decoder = new StringDecoder("utf8");
  let begun = "";
  const take = (text: string): void => {
    const lines = (begun + text).split(/\r?\n/);
    begun = lines.pop() ?? "";
    lines.forEach(line);
  };
  return new Stream({
    write(chunk: Buffer, _encoding, done) {
      take(decoder.write(chunk));
      done();
    },
    final(done) {
      take(decoder.end());
      if (begun !== "") line(begun);
      done();
    },
  });
}
