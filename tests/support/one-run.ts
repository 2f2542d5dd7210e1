import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isAlive, type ProcessId, processId } from "../../commands/processes";

/**
 * Notes on this machine that this process works with a stack, whatever clone it runs in. Fails where another one does: what a run has left that
 * has ended may be taken away, what one works with may not.
 */
export function claimForThisRun(cluster: string, folder: string = os.tmpdir()): void {
  const file = path.join(folder, `${cluster}.tests.json`);
  const holder = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as ProcessId) : undefined;
  if (holder !== undefined && holder.pid !== process.pid && isAlive(holder))
    throw new Error(
      `${cluster} is in use by another run of the tests, process ${holder.pid}: wait for its end, or stop it with: kill -INT ${holder.pid}`,
    );
  fs.writeFileSync(file, JSON.stringify(processId(process.pid)));
}
