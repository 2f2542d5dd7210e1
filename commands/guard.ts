import { DONE, endRun, readRecord } from "./runs";

const [file = ""] = process.argv.slice(2);

// The reader of this output may have ended together with the command.
process.stderr.on("error", () => {});

/** The command holds the other end of this process's standard input. If it closes without DONE, the command was killed. */
async function main(): Promise<void> {
  let received = "";
  for await (const chunk of process.stdin) received += String(chunk);
  if (received === DONE) return;
  const record = readRecord(file);
  if (record === undefined) return;
  process.stderr.write(`the command was killed: stopping its run (${record.verb})\n`);
  await endRun(file, record);
}

void main();
