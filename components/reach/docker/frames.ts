/** The engine multiplexes both outputs of a container without a terminal into one stream of frames. */
import type { Readable, Writable } from "node:stream";
import type Dockerode from "dockerode";

/**
 * docker-modem's `demuxStream` recurses for every frame of a chunk: a chunk with thousands of lines overflows the stack. A frame has a header of 8
 * bytes.
 */
const PIECE_BYTES = 4096;

/** Writes what the frames contain to the two outputs. Returns the stream to pause, and to wait for: it ends when all has been written. */
export function demultiplex(
  engine: Dockerode,
  frames: NodeJS.ReadableStream,
  stdout: Writable,
  stderr: Writable,
): Readable {
  const { pipeline, Transform } = require("node:stream") as typeof import("node:stream");
  const pieces = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) this.push(chunk.subarray(at, at + PIECE_BYTES));
      done();
    },
  });
  engine.modem.demuxStream(pieces, stdout, stderr);
  // The pieces end with the error of the frames, for whoever waits for them; nobody has to.
  pieces.on("error", () => {});
  pipeline(frames, pieces, () => {});
  return pieces;
}
