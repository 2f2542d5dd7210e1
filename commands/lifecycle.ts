import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { clusterName, CommandError, groups, members, patroniMembers } from "./containers";
import { STATE } from "./programs";
import { leaderless } from "./leaderless";
import { refuseAnothers } from "./ownership";
import { pulumiCli } from "./pulumi-cli";
import { deleteVolumes, volumesOf } from "./volumes";

/** What the stack's program exports. */
export interface StackOutputs {
  readonly endpoints: {
    readonly write: readonly string[];
    readonly read: readonly string[];
    readonly statistics: readonly string[];
  };
  readonly database: string;
  /** Whether the database is distributed, and why. */
  readonly citus: string;
  /** Shards by worker group, when it is. */
  readonly shards?: Readonly<Record<string, number>>;
  /** By group: what workers that somebody else runs are to have on their disks, by file name. */
  readonly externalWorkers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly certificateAuthority: string;
  readonly certificatesExpire: Readonly<Record<string, string>>;
  readonly passwords: Readonly<Record<string, string>>;
}

export async function stackOutputs(stack: string): Promise<StackOutputs> {
  const outputs = await pulumiCli(stack).outputs();
  if (!outputs["endpoints"])
    throw new CommandError(`the stack ${stack} is not up: bring it up with 'make up'`);
  return outputs as unknown as StackOutputs;
}

/** Where the authority's certificate lies for clients on this machine. */
const authorityFile = (stack: string): string => path.join(STATE, stack, "ca.crt");

/** A libpq connection string that tries the entries one after the other. */
export function connectionString(
  stack: string,
  addresses: readonly string[],
  database: string,
  role: string,
): string {
  const hosts = addresses.map((address) => address.split(":"));
  return [
    `host=${hosts.map(([host]) => host).join(",")}`,
    `port=${hosts.map(([, port]) => port).join(",")}`,
    `dbname=${database}`,
    `user=${role}`,
    "sslmode=verify-full",
    `sslrootcert=${path.relative(process.cwd(), authorityFile(stack))}`,
  ].join(" ");
}

export async function up(stack: string): Promise<number> {
  const code = await pulumiCli(stack).run(["up", "--yes", "--refresh", "--suppress-outputs"]);
  if (code !== 0) return code;
  const outputs = await stackOutputs(stack);
  fs.mkdirSync(path.dirname(authorityFile(stack)), { recursive: true, mode: 0o700 });
  fs.writeFileSync(authorityFile(stack), outputs.certificateAuthority);
  printEndpoints(stack, outputs);
  return 0;
}

function printEndpoints(stack: string, outputs: StackOutputs): void {
  const line = (role: string, addresses: readonly string[]): string =>
    `  PGPASSWORD=$(make -s password ROLE=${role}) psql "${connectionString(stack, addresses, outputs.database, role)}"`;
  console.log(`
Write endpoint   ${outputs.endpoints.write.join(", ")}
${line("app_readwrite", outputs.endpoints.write)}
Read endpoint    ${outputs.endpoints.read.join(", ")}
${line("app_readonly", outputs.endpoints.read)}
Statistics       ${outputs.endpoints.statistics.map((address) => `http://${address}/`).join(", ")}
Superuser        make psql          All commands   make help
`);
}

export async function down(stack: string): Promise<number> {
  const cli = pulumiCli(stack);
  await refuseAnothers(stack, cli, "down");
  return cli.run(["destroy", "--yes", "--exclude-protected"]);
}

export const preview = (stack: string): Promise<number> => pulumiCli(stack).run(["preview", "--diff"]);

/** Deletes what `down` keeps: the data, and the passwords to it. Asks for the stack's cluster name, or takes it from CONFIRM. */
export async function clean(stack: string): Promise<number> {
  const cluster = clusterName(stack);
  const cli = pulumiCli(stack);
  await refuseAnothers(stack, cli, "clean");
  const running = await members(stack);
  if (running.length > 0)
    throw new CommandError(`the stack ${stack} is up (${running.length} containers): 'make down' first`);
  const volumes = await volumesOf(cluster);
  if (volumes.length === 0) {
    console.log(`The stack ${stack} has no volumes.`);
    return 0;
  }
  console.log(
    `These volumes hold all data of ${cluster} and will be deleted for ever:\n${volumes.map((v) => `  ${v}`).join("\n")}`,
  );
  const answer =
    process.env["CONFIRM"] ?? (await ask(`Type the cluster's name (${cluster}) to delete them: `));
  if (answer !== cluster) {
    console.log("Nothing was deleted.");
    return 1;
  }
  await deleteVolumes(volumes);
  const code = await cli.run(["state", "unprotect", "--all", "--yes"]);
  if (code !== 0) return code;
  console.log(`Deleted ${volumes.length} volumes.`);
  return cli.run(["destroy", "--yes"]);
}

function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  return new Promise((resolve) => {
    terminal.question(question, (answer) => {
      terminal.close();
      resolve(answer.trim());
    });
    // Without an answer (end of input) nothing is deleted.
    terminal.on("close", () => resolve(""));
  });
}

export async function status(stack: string): Promise<number> {
  const all = await members(stack);
  if (all.length === 0) {
    console.log(`The stack ${stack} is not up. Bring it up with 'make up'.`);
    return 1;
  }
  const width = Math.max(...all.map((member) => member.name.length));
  console.log(all.map((member) => `${member.name.padEnd(width)}  ${member.status}`).join("\n"));
  console.log("");
  const databases = await groups(stack);
  // Of a group whose members have all gone nobody answers, and what follows says so.
  const known = await Promise.all(databases.map((group) => patroniMembers(stack, group).catch(() => [])));
  for (const member of known.flat()) {
    const lag = member["Replay Lag"] === undefined ? "" : `  lag ${member["Replay Lag"]} MB`;
    const restart = member["Pending restart"] ? "  RESTART PENDING" : "";
    console.log(
      `${member.Member.padEnd(width)}  ${member.Role}, ${member.State}, timeline ${member.TL ?? "?"}${lag}${restart}`,
    );
  }
  for (const [i, group] of databases.entries()) {
    if (known[i]?.some(({ Role }) => /leader/i.test(Role))) continue;
    const why = await leaderless(stack, group).catch(() => undefined);
    console.log(
      `\n${group.workload}: ${why ? `${why.seen}.\n  -> ${why.remedy}` : "nobody leads, and etcd does not say why: 'make doctor'"}`,
    );
  }
  const outputs = await stackOutputs(stack);
  console.log(`\nCitus: ${outputs.citus}`);
  for (const [group, shards] of Object.entries(outputs.shards ?? {}))
    console.log(`worker group ${group}: ${shards} shards after the last up`);
  printEndpoints(stack, outputs);
  return 0;
}

/** Follows the logs of every member, each line with its member's name. WORKLOAD=patroni narrows it; FOLLOW= prints and ends. */
export async function logs(stack: string): Promise<number> {
  const all = await members(stack, process.env["WORKLOAD"] || undefined);
  if (all.length === 0)
    throw new CommandError(`the stack ${stack} has no such members: 'make status' lists them`);
  const follow = process.env["FOLLOW"] === "" ? [] : ["--follow"];
  const codes = all.map(
    (member) =>
      new Promise<number>((resolve, reject) => {
        const child = spawn(
          "docker",
          ["logs", "--tail", process.env["TAIL"] ?? "20", ...follow, member.name],
          {
            stdio: ["ignore", "pipe", "pipe"],
          },
        );
        for (const stream of [child.stdout, child.stderr]) {
          createInterface({ input: stream }).on("line", (line) => console.log(`${member.name} | ${line}`));
        }
        child.on("error", reject);
        child.on("exit", (code) => resolve(code ?? 1));
      }),
  );
  return Math.max(...(await Promise.all(codes)));
}
