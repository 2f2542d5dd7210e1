import { callOf, type Command } from "./call";
import { CommandError, EXIT } from "./command-error";

// Each command loads only what it needs: loading the component library alone takes as long as most commands run.
const lifecycle = () => require("./lifecycle") as typeof import("./lifecycle");
const leadership = () => require("./leadership") as typeof import("./leadership");
const secrets = () => require("./secrets") as typeof import("./secrets");
const psql = () => require("./psql") as typeof import("./psql");

/** The commands, by the name in `make <name>`. Each resolves with an exit code. */
const COMMANDS: Readonly<Record<string, () => Command>> = {
  up: () => lifecycle().up,
  down: () => lifecycle().down,
  preview: () => lifecycle().preview,
  clean: () => (require("./clean") as typeof import("./clean")).clean,
  images: () => (require("./images") as typeof import("./images")).images,
  status: () => (require("./status") as typeof import("./status")).status,
  health: () => (require("./health") as typeof import("./health")).health,
  ps: () => (require("./ps") as typeof import("./ps")).ps,
  logs: () => (require("./logs") as typeof import("./logs")).logs,
  doctor: () => (require("./doctor/doctor") as typeof import("./doctor/doctor")).doctor,
  exec: () => (require("./exec") as typeof import("./exec")).exec,
  psql: () => psql().psql,
  "psql-replica": () => psql().psqlReplica,
  switchover: () => leadership().switchover,
  restart: () => leadership().restart,
  reconnect: () => (require("./reconnect") as typeof import("./reconnect")).reconnect,
  "slow-queries": () => (require("./slow-queries") as typeof import("./slow-queries")).slowQueries,
  "test-slow-query": () => (require("./test-slow-query") as typeof import("./test-slow-query")).testSlowQuery,
  "reset-stats": () => (require("./reset-stats") as typeof import("./reset-stats")).resetStats,
  "test-replication": () =>
    (require("./test-replication") as typeof import("./test-replication")).testReplication,
  password: () => secrets().password,
  "worker-files": () => secrets().workerFiles,
};

async function main(): Promise<number> {
  const [name = "", ...args] = process.argv.slice(2);
  const load = COMMANDS[name];
  if (!load) {
    console.error(`unknown command "${name}": use one of ${Object.keys(COMMANDS).join(", ")}`);
    return EXIT.impossible;
  }
  const command = load();
  const call = callOf(args, process.env);
  // Everything but the document, such as progress, goes to standard error.
  if (call.json) console.log = console.error;
  try {
    return await command(call);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`${name}: ${error.message}`);
    return error.exitCode;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
