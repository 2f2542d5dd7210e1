import { CommandError } from "./containers";

type Command = (stack: string, args: readonly string[]) => Promise<number>;

// Each command loads what it needs, and no more: the component library alone takes as long to load as most commands run.
const lifecycle = () => require("./lifecycle") as typeof import("./lifecycle");
const database = () => require("./database") as typeof import("./database");
const pools = () => require("./pools") as typeof import("./pools");
const images = () => require("./images") as typeof import("./images");
const doctor = () => require("./doctor") as typeof import("./doctor");

/** What `make <name>` runs. Each resolves with an exit code. */
const COMMANDS: Readonly<Record<string, () => Command>> = {
  up: () => lifecycle().up,
  down: () => lifecycle().down,
  preview: () => lifecycle().preview,
  clean: () => lifecycle().clean,
  images: () => images().images,
  status: () => lifecycle().status,
  logs: () => lifecycle().logs,
  doctor: () => doctor().doctor,
  psql: () => database().psql,
  "psql-replica": () => database().psqlReplica,
  switchover: () => database().switchover,
  restart: () => database().restart,
  reconnect: () => pools().reconnect,
  "slow-queries": () => database().slowQueries,
  "test-replication": () => database().testReplication,
  password: () => database().password,
  "worker-files": () => database().workerFiles,
};

async function main(): Promise<number> {
  const [name = "", ...args] = process.argv.slice(2);
  const load = COMMANDS[name];
  if (!load) {
    console.error(`there is no command "${name}": ${Object.keys(COMMANDS).join(", ")}`);
    return 2;
  }
  const command = load();
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
