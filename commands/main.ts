import { CommandError } from "./containers";
import { doctor } from "./doctor";
import * as database from "./database";
import { images } from "./images";
import * as lifecycle from "./lifecycle";

/** What `make <name>` runs. Each resolves with an exit code. */
const COMMANDS: Readonly<Record<string, (stack: string, args: readonly string[]) => Promise<number>>> = {
  up: lifecycle.up,
  down: lifecycle.down,
  preview: lifecycle.preview,
  clean: lifecycle.clean,
  images,
  status: lifecycle.status,
  logs: lifecycle.logs,
  doctor,
  psql: database.psql,
  "psql-replica": database.psqlReplica,
  switchover: database.switchover,
  restart: database.restart,
  "slow-queries": database.slowQueries,
  "test-replication": database.testReplication,
  password: database.password,
  "worker-files": database.workerFiles,
};

async function main(): Promise<number> {
  const [name = "", ...args] = process.argv.slice(2);
  const command = COMMANDS[name];
  if (!command) {
    console.error(`there is no command "${name}": ${Object.keys(COMMANDS).join(", ")}`);
    return 2;
  }
  try {
    return await command(process.env["STACK"] ?? "dev", args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`${name}: ${error.message}`);
    return 1;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
