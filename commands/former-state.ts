import * as fs from "node:fs";
import * as path from "node:path";
import { CommandError } from "./command-error";
import { isAlive, type ProcessId } from "./processes";

/** A stack's state from the former local engine: a deployment in Pulumi's own format, which the CLI can import unchanged. */
export interface FormerState {
  readonly file: string;
  readonly resources: number;
}

interface StateFile {
  readonly deployment: { readonly resources?: readonly unknown[] };
}

/** Undefined if there is none or it is empty. Throws while a run of the local engine changes it. */
export function formerState(stack: string, state: string): FormerState | undefined {
  const folder = path.join(state, "local-engine");
  const file = path.join(folder, `${stack}.json`);
  const resources = (read(file) as StateFile | undefined)?.deployment.resources?.length ?? 0;
  if (resources === 0) return undefined;
  const lock = read(path.join(folder, `${stack}.lock`)) as ProcessId | undefined;
  if (lock !== undefined && isAlive(lock))
    throw new CommandError(
      `the local engine is changing the stack ${stack} (process ${lock.pid}), whose state the Pulumi CLI would take over: wait for it to end, or stop it with: kill -INT ${lock.pid}`,
    );
  return { file, resources };
}

/** Keeps the file under another name, so that it is not imported again. */
export const setAside = ({ file }: FormerState): void => fs.renameSync(file, `${file}.taken-over`);

const read = (file: string): unknown =>
  fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : undefined;
