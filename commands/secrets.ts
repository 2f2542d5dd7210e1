import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "./call";
import { EXIT, UsageError } from "./command-error";
import { passwordOf, stackOutputs } from "./outputs";

/** Prints the password of ROLE (default `app_readwrite`). */
export async function password(call: Call): Promise<number> {
  console.log(passwordOf(await stackOutputs(call.stack), call.variable("ROLE") ?? "app_readwrite"));
  return EXIT.done;
}

/** Writes the certificate, key and CA of the external worker GROUP to the folder DIR. */
export async function workerFiles(call: Call): Promise<number> {
  const { externalWorkers = {} } = await stackOutputs(call.stack);
  const files = externalWorkers[call.variable("GROUP") ?? ""];
  if (files === undefined) {
    const known =
      Object.keys(externalWorkers).join(", ") ||
      "there is none, because workers.external declares none or an issuer signs its certificate (docs/kubernetes.md)";
    throw new UsageError(
      `GROUP is ${JSON.stringify(call.variable("GROUP") ?? "")}: it must be the group of an external worker of the last up: ${known}`,
    );
  }
  const folder = call.variable("DIR");
  if (folder === undefined)
    throw new UsageError("DIR is not set: it must be the folder to write the files to");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600 });
    console.log(file);
  }
  return EXIT.done;
}
