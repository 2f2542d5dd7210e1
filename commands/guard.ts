import { DONE, endRun, readRecord } from "./runs";

const [file = ""] = process.argv.slice(2);

// Whoever reads what the command prints may be gone with it.
process.stderr.on("error", () => {});

/** The command holds the other end of this process's standard input: its end without a word is the command's. */
async function main(): Promise<void> {
  let said = "";
  for await (const chunk of process.stdin) said += String(chunk);
  if (said === DONE) return;
  const record = readRecord(file);
  if (record === undefined) return;
  process.stderr.write(`the command was killed: stopping its run (${record.verb})\n`);
  await endRun(file, record);
}

void main();
