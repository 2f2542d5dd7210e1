import { containers, type Inside } from "./inside";
import { docker, eventually } from "./stack";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Faults as they happen to containers, and their ends. Each resolves when the fault has happened. */

/** SIGKILL to the postmaster in a member. */
export const killPostmaster = (member: string): Promise<string> =>
  docker("exec", member, "sh", "-c", 'kill -KILL "$(head -n 1 /var/lib/postgresql/data/postmaster.pid)"');

/** SIGKILL to the process of Patroni, not to what runs beside it. */
export const killPatroni = (member: string): Promise<string> =>
  docker("exec", member, "sh", "-c", "kill -KILL $(pgrep --full --oldest 'patroni /run/patroni')");

/**
 * Hands leadership over, to whom Patroni likes, and fails when it does not: `patronictl` says so, with an exit code of 0.
 * @param group of a distributed database
 */
export async function switchover(leader: string, group?: number): Promise<void> {
  const of = group === undefined ? [] : ["--group", String(group)];
  const said = await docker("exec", leader, "patronictl", "switchover", ...of, "--leader", leader, "--force");
  if (!said.includes("Successfully switched over")) throw new Error(`${leader} goes on to lead:\n${said}`);
}

/** Stops PostgreSQL in order and starts it again; the member goes on to lead. */
export async function restartPostgres(leader: string): Promise<void> {
  const scope = leader.replace(/-patroni-\d+$/, "");
  const said = await docker("exec", leader, "patronictl", "restart", scope, leader, "--force");
  if (!said.includes("Success: restart")) throw new Error(`${leader} was not restarted:\n${said}`);
}

export const stop = (container: string): Promise<string> => docker("stop", container);
export const kill = (container: string): Promise<string> => docker("kill", container);
export const start = (container: string): Promise<string> => docker("start", container);

/**
 * Cuts a container off from others by dropping packets in its own network namespace, as a broken network does: nobody is told.
 * Resolves with a function that heals it.
 */
export async function cutOff(container: string, from: readonly string[]): Promise<() => Promise<void>> {
  const pid = await docker("inspect", "--format", "{{.State.Pid}}", container);
  const addresses = await Promise.all(
    from.map((name) =>
      docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name),
    ),
  );
  const rules = addresses.flatMap((address) => [
    ["INPUT", "--source", address, "--jump", "DROP"],
    ["OUTPUT", "--destination", address, "--jump", "DROP"],
  ]);
  const iptables = (verb: string, rule: readonly string[]): Promise<unknown> =>
    run("nsenter", ["--target", pid, "--net", "iptables", "--wait", verb, ...rule]);
  for (const rule of rules) await iptables("--append", rule);
  return async () => {
    for (const rule of rules) await iptables("--delete", rule);
  };
}

/** Waits until a container is healthy. */
export const healthy = (container: string, deadlineMs = 120_000): Promise<void> =>
  eventually(`${container} is healthy`, deadlineMs, async () => {
    const state = await docker(
      "inspect",
      "--format",
      "{{.State.Status}} {{.State.Health.Status}}",
      container,
    );
    if (state !== "running healthy") throw new Error(state);
  });

/** Each takes some 0.1 ms. */
const LOOKS_AT_FREEZER = 500;

/** Ends a freeze. */
type Thaw = () => Promise<unknown>;

/** The process ids of a member's programs of that kind, as its container numbers them; none is an error. */
const pids = async (member: string, inside: Inside, find: string): Promise<readonly string[]> =>
  (await inside.run(member, "sh", "-c", find)).split("\n");

/** Stops processes without ending them. Resolves with what lets them go on; who is dead by then, stays so. */
async function stopProcesses(member: string, inside: Inside, find: string): Promise<Thaw> {
  const frozen = await pids(member, inside, find);
  await inside.run(member, "sh", "-c", `kill -STOP ${frozen.join(" ")}`);
  // The watchdog may just have killed all of it: nothing can be executed in a container until it is started again.
  return () =>
    eventually(`what is left of ${frozen.length} processes of ${member} goes on`, 60_000, () =>
      inside.run(member, "sh", "-c", `kill -CONT ${frozen.join(" ")} 2>/dev/null || true`),
    );
}

/** Patroni alone goes no further: PostgreSQL does, with a lease that nobody renews. */
export const freezePatroni = (member: string, inside: Inside): Promise<Thaw> =>
  stopProcesses(member, inside, "cat /run/patroni/pid");

/** Every process of PostgreSQL goes no further, while Patroni does. */
export const freezePostgres = (member: string, inside: Inside): Promise<Thaw> =>
  stopProcesses(member, inside, "pgrep --exact postgres");

/** A replica takes and confirms no WAL for as long, and keeps its connection: to its leader it is slow, and not gone. */
export const freezeReceiver = (member: string, inside: Inside): Promise<Thaw> =>
  stopProcesses(member, inside, 'pgrep --full "[w]alreceiver"');

/**
 * No process of the container goes further; its clocks do. By the kernel's freezer itself: `docker unpause` has hung, and with it the engine for
 * every other suite (20.10, seen).
 */
export async function freezeContainer(container: string, inside: Inside = containers): Promise<Thaw> {
  const pid = await inside.process(container);
  const { file, freeze, thaw, isFrozen } = freezerOf(await readFile(`/proc/${pid}/cgroup`, "utf8"));
  try {
    await eventually(`${container} is frozen`, 30_000, async () => {
      await writeFile(file, freeze);
      for (let look = 0; look < LOOKS_AT_FREEZER; look++) if (await isFrozen()) return;
      // One of its processes is where it cannot be frozen, and may wait for another that is. runc does the same.
      await writeFile(file, thaw);
      throw new Error("a process could not be frozen");
    });
  } catch (error) {
    await writeFile(file, thaw);
    throw error;
  }
  return () => writeFile(file, thaw);
}

/** By the lines of /proc/<pid>/cgroup, see cgroups(7): version 1 names a hierarchy for its freezer, version 2 has one for everything. */
function freezerOf(cgroups: string): {
  readonly file: string;
  readonly freeze: string;
  readonly thaw: string;
  readonly isFrozen: () => Promise<boolean>;
} {
  const first = /^\d+:freezer:(?<path>.+)$/m.exec(cgroups)?.groups?.["path"];
  if (first !== undefined) {
    const file = `/sys/fs/cgroup/freezer${first}/freezer.state`;
    const isFrozen = async (): Promise<boolean> => (await readFile(file, "utf8")).trim() === "FROZEN";
    return { file, freeze: "FROZEN", thaw: "THAWED", isFrozen };
  }
  const folder = `/sys/fs/cgroup${/^0::(?<path>.+)$/m.exec(cgroups)?.groups?.["path"] ?? ""}`;
  const isFrozen = async (): Promise<boolean> =>
    /^frozen 1$/m.test(await readFile(`${folder}/cgroup.events`, "utf8"));
  return { file: `${folder}/cgroup.freeze`, freeze: "1", thaw: "0", isFrozen };
}

/** How often process 1 of a member has killed everything in it since the container was started, because the lease was not renewed. */
export const watchdogKills = async (member: string, inside: Inside): Promise<number> =>
  Number(await inside.run(member, "sh", "-c", "cat /run/patroni/watchdog.kills 2>/dev/null | wc -l"));
