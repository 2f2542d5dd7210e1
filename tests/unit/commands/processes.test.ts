import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { becomes, isAlive, processId, startOf } from "../../../commands/processes";

test("a process that has ended and that nobody waits for is none: a lock of it is nobody's", async () => {
  // The shell becomes a program that waits for no child.
  const parent = spawn("sh", ["-c", "sleep 300 & echo $!; exec sleep 300"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    const child = processId(pid);
    expect(isAlive(child)).toBe(true);
    // Until then it is still the shell, which would notice the end of its child.
    expect(
      await becomes(() => fs.readFileSync(`/proc/${String(parent.pid)}/comm`, "utf8") === "sleep\n", 10_000),
    ).toBe(true);
    process.kill(pid, "SIGKILL");
    expect(await becomes(() => !isAlive(child), 10_000)).toBe(true);
    expect(startOf(pid)).toBeUndefined();
    // It is there all the same.
    expect(process.kill(pid, 0)).toBe(true);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("a number that another process has now is not the one that is meant", () => {
  expect(isAlive({ pid: process.pid, started: "1" })).toBe(false);
  expect(isAlive(processId(process.pid))).toBe(true);
});
