// The processes that the engine starts: the program, and the server for dynamic resources.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { createInterface, type Interface } from "node:readline";

export interface NodeProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly output: Interface;
  readonly errors: Interface;
}

export function startNode(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): NodeProcess {
  const child = spawn(process.execPath, ["-r", require.resolve("./end-with-parent.js"), ...args], {
    cwd,
    env: {
      // Half of the start is the parsing of the compiler and the SDK, the same every time.
      NODE_COMPILE_CACHE: join(__dirname, "..", "node_modules", ".cache", "typescript", "compiled"),
      ...process.env,
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    // An interrupt from the keyboard is for the engine alone, which lets running steps end.
    detached: true,
  });
  return {
    child,
    output: createInterface({ input: child.stdout }),
    errors: createInterface({ input: child.stderr }),
  };
}
