import { spawn } from "node:child_process";
import { messageOf } from "../components/dynamic/reason";
import { openInTime } from "../components/reach/open-in-time";
import { PORTS } from "../config-files/ports";
import type { Call } from "./call";
import { type Cluster, isRunning, openCluster, runningMember } from "./cluster";
import { CommandError, UnreachableError } from "./command-error";
import { chosenGroup, isLeader, leader, patroniMembers } from "./groups";
import { psqlIn } from "./inside";
import { passwordOf, stackOutputs, writeAuthority } from "./outputs";
import { onPath } from "./programs";
import { make } from "./stack";

/** Further arguments of psql: those of the command itself, and SQL=... as a statement. Without SQL it reads its input. */
const wordsOf = (call: Call): readonly string[] => {
  const sql = call.variable("SQL");
  // A failing script must return an exit code, also if it is read from standard input.
  const script = process.stdin.isTTY ? [] : ["--set", "ON_ERROR_STOP=1"];
  return [...script, ...call.args, ...(sql === undefined ? [] : ["--command", sql])];
};

/** A superuser session on the leader of GROUP; with ROLE, a session of that role through the write endpoint. */
export async function psql(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const role = call.variable("ROLE");
  if (role !== undefined) return throughEntry(cluster, "write", role, call);
  const member = await leader(cluster, await chosenGroup(cluster, call));
  return cluster.attach(member, psqlIn(cluster.database, ...wordsOf(call)));
}

/** The same on a replica, or through the read endpoint. */
export async function psqlReplica(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const role = call.variable("ROLE");
  if (role !== undefined) return throughEntry(cluster, "read", role, call);
  const replica = (await patroniMembers(cluster, await chosenGroup(cluster, call))).find(
    (member) => !isLeader(member) && member.State === "streaming",
  );
  if (!replica)
    throw new CommandError(`no replica is streaming at the moment: ${make(call.stack, "doctor")} shows why`);
  return cluster.attach(replica.Member, psqlIn(cluster.database, ...wordsOf(call)));
}

/** Connects as applications do: TLS with full verification, and the role's password. */
async function throughEntry(
  cluster: Cluster,
  endpoint: "write" | "read",
  role: string,
  call: Call,
): Promise<number> {
  const outputs = await stackOutputs(call.stack);
  const PGPASSWORD = passwordOf(outputs, role);
  const entries = (await cluster.members("haproxy")).filter(isRunning);
  const [entry] = entries;
  if (entry === undefined)
    throw new CommandError(`no HAProxy is running: ${make(call.stack, "doctor")} shows why`);
  const connection = (hosts: string, port: number, authority: string): string =>
    `${hosts} port=${port} dbname=${outputs.database} user=${role} sslmode=verify-full sslrootcert=${authority}`;
  if (cluster.reach.membersReachEntry) {
    const inside = await runningMember(cluster, (await chosenGroup(cluster, call)).workload);
    const hosts = `host=${entries.map(({ name }) => name).join(",")}`;
    const target = connection(hosts, PORTS[endpoint], "/secrets/tls/ca.crt");
    return cluster.attach(inside.name, ["psql", target, ...wordsOf(call)], { PGPASSWORD });
  }
  if (!onPath("psql"))
    throw new UnreachableError(
      `psql is not on PATH. On ${cluster.reach.platform}, members may not connect to HAProxy, so ROLE needs psql on this machine. ` +
        "Install it (Debian: postgresql-client), or omit ROLE for a superuser session",
    );
  const tunnel = await openInTime(cluster.reach.reach(entry.name, PORTS[endpoint]), 15_000).catch(
    (error: unknown) => {
      throw new UnreachableError(messageOf(error), error);
    },
  );
  try {
    // Connects to the tunnel, and verifies the certificate for the endpoint's name.
    const name = outputs.endpoints[endpoint].at(-1)?.split(":")[0] ?? "";
    const hosts = `host=${name} hostaddr=${tunnel.host}`;
    const authority = writeAuthority(call.stack, outputs);
    return await runHere("psql", [connection(hosts, tunnel.port, `'${authority}'`), ...wordsOf(call)], {
      PGPASSWORD,
    });
  } finally {
    await tunnel.close();
  }
}

/** Runs a program on this machine in this terminal; resolves with its exit code. */
function runHere(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  // Ctrl-C is for psql, which cancels its statement. This process closes the tunnel when psql has ended.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, args, { stdio: "inherit", env: { ...process.env, ...env } });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  }).finally(() => process.off("SIGINT", ignore));
}
