import {
  CommandError,
  execute,
  interact,
  leader,
  members,
  patroniMembers,
  runningMember,
} from "./containers";
import { capture } from "./engine";
import { stackOutputs } from "./lifecycle";

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
  const port = endpoint === "write" ? 6432 : 6433;
  const inside = await runningMember(stack, "patroni");
  const connection = `host=${entries.map((m) => m.name).join(",")} port=${port} dbname=${outputs.database} user=${role} sslmode=verify-full sslrootcert=/secrets/tls/ca.crt`;
  return interact(inside.name, ["psql", connection, ...args], { PGPASSWORD: password });
}

/** A superuser's session on the leader; with ROLE, a session of that role through the write endpoint. */
export async function psql(stack: string, args: readonly string[]): Promise<number> {
  const role = process.env["ROLE"];
  if (role) return viaEntry(stack, "write", role, args);
  return interact(await leader(stack), [
    "psql",
    "--host",
    "/run/postgresql",
    "--dbname",
    await databaseName(stack),
    ...args,
  ]);
}

/** The same on a replica, or through the read endpoint. */
export async function psqlReplica(stack: string, args: readonly string[]): Promise<number> {
  const role = process.env["ROLE"];
  if (role) return viaEntry(stack, "read", role, args);
  const replica = (await patroniMembers(stack)).find(
    (m) => !/leader/i.test(m.Role) && m.State === "streaming",
  );
  if (!replica) throw new CommandError("no replica streams at this moment: 'make doctor' says why");
  return interact(replica.Member, [
    "psql",
    "--host",
    "/run/postgresql",
    "--dbname",
    await databaseName(stack),
    ...args,
  ]);
}

const databaseName = async (stack: string): Promise<string> => (await stackOutputs(stack)).database;

/** Hands leadership over, to TO if given. */
export async function switchover(stack: string): Promise<number> {
  const from = await leader(stack);
  const to = process.env["TO"];
  return interact(from, [
    "patronictl",
    "switchover",
    "--leader",
    from,
    ...(to ? ["--candidate", to] : []),
    "--force",
  ]);
}

/** Restarts PostgreSQL in every member: replicas first, the old leader last, after a switchover. */
export async function restart(stack: string): Promise<number> {
  const old = await leader(stack);
  const replicas = (await patroniMembers(stack)).filter((m) => m.Member !== old);
  for (const { Member } of replicas) {
    if (interact(old, ["patronictl", "restart", await scope(old), Member, "--force"]) !== 0) return 1;
    await streams(stack, Member);
  }
  if (replicas.length > 0) {
    if (interact(old, ["patronictl", "switchover", "--leader", old, "--force"]) !== 0) return 1;
    await streams(stack, old);
  }
  return interact(old, ["patronictl", "restart", await scope(old), old, "--force"]);
}

const scope = async (member: string): Promise<string> =>
  (await execute(member, ["sh", "-c", "sed -n 's/^scope: *//p' /etc/patroni/cluster.yml"]))
    .trim()
    .replace(/"/g, "");

/** Waits until a member streams again. */
async function streams(stack: string, name: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  let last = "unknown";
  while (Date.now() < deadline) {
    last = (await patroniMembers(stack)).find((m) => m.Member === name)?.State ?? "not there";
    if (last === "streaming") return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new CommandError(
    `${name} does not stream again after two minutes (its state: ${last}); the other members were left alone`,
  );
}

/** The slowest statements: from the log of each member, and in sum from pg_stat_statements. */
export async function slowQueries(stack: string): Promise<number> {
  const limit = Number(process.env["LIMIT"] ?? 20);
  const slow: { readonly ms: number; readonly member: string; readonly line: string }[] = [];
  for (const member of await members(stack, "patroni")) {
    for (const line of (await logsOf(member.name)).split("\n")) {
      const found = /duration: ([0-9.]+) ms/.exec(line);
      if (found) slow.push({ ms: Number(found[1]), member: member.name, line });
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
  console.log("\nIn sum since the statistics were reset (pg_stat_statements, on the leader):");
  const sql = `SELECT calls, round(total_exec_time::numeric) AS total_ms, round(mean_exec_time::numeric, 1) AS mean_ms, left(regexp_replace(query, '\\s+', ' ', 'g'), 100) AS query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT ${limit}`;
  return interact(await leader(stack), [
    "psql",
    "--host",
    "/run/postgresql",
    "--dbname",
    await databaseName(stack),
    "--command",
    sql,
  ]);
}

const logsOf = (container: string): Promise<string> =>
  capture("sh", ["-c", 'docker logs "$1" 2>&1', "sh", container]);

/** Writes a row on the leader and finds it on every replica, with the time that it took. */
export async function testReplication(stack: string): Promise<number> {
  const from = await leader(stack);
  const query = async (member: string, sql: string): Promise<string> =>
    (
      await execute(member, [
        "psql",
        "--host",
        "/run/postgresql",
        "--dbname",
        "postgres",
        "--no-align",
        "--tuples-only",
        "--quiet",
        "--command",
        sql,
      ])
    ).trim();
  const position = await query(from, "SELECT pg_logical_emit_message(true, 'test-replication', now()::text)");
  console.log(`${from} leads and wrote a message at ${position}`);
  let failed = 0;
  for (const { Member } of (await patroniMembers(stack)).filter((m) => m.Member !== from)) {
    const started = Date.now();
    const deadline = started + 10_000;
    let seen: string;
    do {
      seen = await query(Member, `SELECT pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`).catch(
        (error: unknown) => String(error),
      );
    } while (seen !== "t" && Date.now() < deadline);
    if (seen !== "t") failed++;
    console.log(
      seen === "t"
        ? `${Member} has replayed it, seen after ${Date.now() - started} ms`
        : `${Member} HAS NOT replayed it after 10 s (${seen})`,
    );
  }
  return failed === 0 ? 0 : 1;
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
