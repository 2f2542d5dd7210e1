// One run at a time may change a stack. The lock names its process by number and start time: a number alone may have
// been given to another process since.

import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { startOf } from "../commands/processes";
import { Fault } from "./fault";

interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly verb: string;
}

/** Takes the lock and returns the function that gives it back. */
export function lockStack(file: string, verb: string): () => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const own = `${file}.${process.pid}`;
  const mine = JSON.stringify({
    pid: process.pid,
    started: startOf(process.pid) ?? "",
    verb,
  } satisfies Holder);
  writeFileSync(own, mine, { mode: 0o600 });
  let stale = false;
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // A link appears with its content, so nobody ever reads a lock that is not written yet.
        linkSync(own, file);
        // Another run may have judged the same dead lock at the same moment and be about to remove ours for it.
        if (stale) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        if (readIfThere(file) !== mine) continue;
        return () => {
          if (readIfThere(file) === mine) rmSync(file, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const text = readIfThere(file);
      if (text === undefined) continue;
      const holder = JSON.parse(text) as Holder;
      if (startOf(holder.pid) === holder.started) {
        throw new Fault(
          `another run is changing this stack: \`${holder.verb}\`, process ${holder.pid}. Wait for it to end, or stop it with: kill -INT ${holder.pid}`,
        );
      }
      stale = true;
      if (readIfThere(file) === text) rmSync(file, { force: true });
    }
    throw new Fault(`the lock ${file} could not be taken`);
  } finally {
    rmSync(own, { force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
