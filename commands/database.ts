import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PORTS } from "../config-files/ports";
import { restartAll } from "../components/resources/patroni/restart";
import { switchover as handOver } from "../components/resources/patroni/switchover";
import {
  chosenGroup,
  CommandError,
  execute,
  type Group,
  groups,
  interact,
  leader,
  members,
  patroniMembers,
  psqlIn,
  runningMember,
} from "./containers";
import { capture } from "./programs";
import { stackOutputs } from "./lifecycle";
import { withGroup } from "./patroni";
import { messageOf } from "../components/dynamic/reason";

/** How long a member may take to be whole again, and a group to have another leader, in seconds. */
const PATIENCE_SECONDS = 120;

/** The entry as members of the stack see it; the certificates are valid for the entries' names. */
async function viaEntry(
  stack: string,
  endpoint: "write" | "read",
  role: string,
  args: readonly string[],
): Promise<number> {
  const outputs = await stackOutputs(stack);
  const password = outputs.passwords[role];
  if (password === undefined) {
    throw new CommandError(
      `there is no role "${role}": ROLE is one of ${Object.keys(outputs.passwords).join(", ")}`,
    );
  }
  const entries = await members(stack, "haproxy");
  const port = PORTS[endpoint];
  const inside = await runningMember(stack, (await chosenGroup(stack)).workload);
  const connection = `host=${entries.map((m) => m.name).join(",")} port=${port} dbname=${outputs.database} user=${role} sslmode=verify-full sslrootcert=/secrets/tls/ca.crt`;
  return interact(inside.name, ["psql", connection, ...args], { PGPASSWORD: password });
}

/** A superuser's session on the leader of GROUP; with ROLE, a session of that role through the write endpoint. */
export async function psql(stack: string, args: readonly string[]): Promise<number> {
  const role = process.env["ROLE"];
  if (role) return viaEntry(stack, "write", role, args);
  return interact(await leader(stack, await chosenGroup(stack)), psqlIn(await databaseName(stack), ...args));
}

/** The same on a replica, or through the read endpoint. */
export async function psqlReplica(stack: string, args: readonly string[]): Promise<number> {
  const role = process.env["ROLE"];
  if (role) return viaEntry(stack, "read", role, args);
  const replica = (await patroniMembers(stack, await chosenGroup(stack))).find(
    (m) => !/leader/i.test(m.Role) && m.State === "streaming",
  );
  if (!replica) throw new CommandError("no replica streams at this moment: 'make doctor' says why");
  return interact(replica.Member, psqlIn(await databaseName(stack), ...args));
}

const databaseName = async (stack: string): Promise<string> => (await stackOutputs(stack)).database;

/** Hands the leadership of GROUP over, to TO if given. */
export async function switchover(stack: string): Promise<number> {
  const candidate = process.env["TO"] || undefined;
  const { from, to } = await withGroup(stack, await chosenGroup(stack), (rest) =>
    handOver(rest, { candidate, deadlineSeconds: PATIENCE_SECONDS }),
  );
  console.log(`${to} leads, in place of ${from}`);
  return 0;
}

/** Restarts PostgreSQL in every member of GROUP, or of every group: replicas first, the leader last, by a switchover. */
export async function restart(stack: string): Promise<number> {
  const chosen = process.env["GROUP"] ? [await chosenGroup(stack)] : await groups(stack);
  for (const group of chosen)
    await withGroup(stack, group, (rest) => restartAll(rest, { restartSeconds: PATIENCE_SECONDS }));
  return 0;
}

/** The slowest statements: from the log of each member, and in sum from pg_stat_statements on the leader of GROUP. */
export async function slowQueries(stack: string): Promise<number> {
  const limit = Number(process.env["LIMIT"] ?? 20);
  const slow: { readonly ms: number; readonly member: string; readonly line: string }[] = [];
  for (const { workload } of await groups(stack)) {
    for (const member of await members(stack, workload)) {
      for (const line of (await logsOf(member.name)).split("\n")) {
        const found = /duration: ([0-9.]+) ms/.exec(line);
        if (found) slow.push({ ms: Number(found[1]), member: member.name, line });
      }
    }
  }
  slow.sort((a, b) => b.ms - a.ms);
  console.log(
    `Statements that took longer than log_min_duration_statement, slowest first (${Math.min(limit, slow.length)} of ${slow.length}):`,
  );
  for (const { ms, member, line } of slow.slice(0, limit)) {
    console.log(
      `${ms.toFixed(0).padStart(8)} ms  ${member}  ${line.replace(/^.*duration: [0-9.]+ ms\s*/, "").slice(0, 200)}`,
    );
  }
  const from = await leader(stack, await chosenGroup(stack));
  console.log(`\nIn sum since the statistics were reset (pg_stat_statements, on ${from}):`);
  const sql = `SELECT calls, round(total_exec_time::numeric) AS total_ms, round(mean_exec_time::numeric, 1) AS mean_ms, left(regexp_replace(query, '\\s+', ' ', 'g'), 100) AS query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT ${limit}`;
  return interact(from, psqlIn(await databaseName(stack), "--command", sql));
}

const logsOf = (container: string): Promise<string> =>
  capture("sh", ["-c", 'docker logs "$1" 2>&1', "sh", container]);

/** Writes a message on every group's leader and finds it on each of its replicas, with the time that it took. */
export async function testReplication(stack: string): Promise<number> {
  let failed = 0;
  for (const group of await groups(stack)) failed += await replicationFailures(stack, group);
  return failed === 0 ? 0 : 1;
}

async function replicationFailures(stack: string, group: Group): Promise<number> {
  const from = await leader(stack, group);
  const query = async (member: string, sql: string): Promise<string> => {
    const options = ["--no-align", "--tuples-only", "--quiet", "--command", sql];
    return (await execute(member, psqlIn("postgres", ...options))).trim();
  };
  const position = await query(from, "SELECT pg_logical_emit_message(true, 'test-replication', now()::text)");
  console.log(`${from} leads and wrote a message at ${position}`);
  let failed = 0;
  for (const { Member } of (await patroniMembers(stack, group)).filter((m) => m.Member !== from)) {
    const started = Date.now();
    const deadline = started + 10_000;
    let seen: string;
    do {
      seen = await query(Member, `SELECT pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`).catch(
        (error: unknown) => messageOf(error),
      );
    } while (seen !== "t" && Date.now() < deadline);
    if (seen !== "t") failed++;
    console.log(
      seen === "t"
        ? `${Member} has replayed it, seen after ${Date.now() - started} ms`
        : `${Member} HAS NOT replayed it after 10 s (${seen})`,
    );
  }
  return failed;
}

/** Prints the password of ROLE (default `app_readwrite`). */
export async function password(stack: string): Promise<number> {
  const role = process.env["ROLE"] ?? "app_readwrite";
  const { passwords } = await stackOutputs(stack);
  const found = passwords[role];
  if (found === undefined)
    throw new CommandError(`there is no role "${role}": ROLE is one of ${Object.keys(passwords).join(", ")}`);
  console.log(found);
  return 0;
}

/** Writes the certificate, key and authority of the external worker GROUP into the folder DIR. */
export async function workerFiles(stack: string): Promise<number> {
  const { externalWorkers = {} } = await stackOutputs(stack);
  const [group = "", folder = ""] = [process.env["GROUP"], process.env["DIR"]];
  const files = externalWorkers[group];
  if (files === undefined) {
    const known =
      Object.keys(externalWorkers).join(", ") ||
      "none is declared under workers.external, or its operator asks the issuer (docs/kubernetes.md)";
    throw new CommandError(`GROUP must name an external worker of the last up: ${known}`);
  }
  if (folder === "") throw new CommandError("DIR must name the folder to write to");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode: 0o600 });
    console.log(file);
  }
  return 0;
}
