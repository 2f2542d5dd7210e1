import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

/** A process by number and start time: the number alone may have been reused since. */
export interface ProcessId {
  readonly pid: number;
  readonly started: string;
}

/**
 * When the process started, in the system's own format; undefined if there is no such process. A zombie does not count as one: where no
 * init process reaps orphans, as in many containers, it remains forever.
 */
export function startOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the name in parentheses and may hold spaces; the state is the third, the start time the 22nd field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ["Z", "X"].includes(fields[0] ?? "") ? undefined : fields[19];
  } catch {
    if (process.platform === "linux") return undefined;
  }
  try {
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export const processId = (pid: number): ProcessId => ({ pid, started: startOf(pid) ?? "" });

export const isAlive = ({ pid, started }: ProcessId): boolean => startOf(pid) === started;

/** Sends a signal. A process that no longer exists is not an error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * The processes that were started with this environment variable, whatever their parent is now. Empty on systems without /proc.
 */
export function processesWith(variable: string, value: string): number[] {
  if (!fs.existsSync("/proc")) return [];
  const wanted = `${variable}=${value}`;
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(wanted);
      } catch {
        // It has ended, or belongs to another user.
        return false;
      }
    })
    .map(Number)
    .filter((pid) => startOf(pid) !== undefined);
}

const HANGUP = 1n;
const REQUESTS_TO_END = HANGUP | (1n << 1n) | (1n << 14n);

/** The ignored or blocked signals of a process, as bits; 0 on systems without /proc. */
function signals(pid: number, field: "SigIgn" | "SigBlk"): bigint {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    return BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  } catch {
    return 0n;
  }
}

/** Whether a process ignores SIGHUP, as `nohup` makes it do. */
export const ignoresHangup = (pid: number): boolean => (signals(pid, "SigIgn") & HANGUP) !== 0n;

/**
 * Whether a process is handling a request to end (SIGHUP, SIGINT, SIGTERM): these signals are blocked meanwhile. GNU make forwards SIGTERM
 * to its children; on the others it waits for them without notifying them.
 */
export const isAskedToEnd = (pid: number): boolean => (signals(pid, "SigBlk") & REQUESTS_TO_END) !== 0n;

/** Polls ten times a second. Resolves with whether the condition became true in time. */
export async function becomes(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}
