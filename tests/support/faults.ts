import { docker, eventually } from "./stack";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Faults as they happen to containers, and their ends. Each resolves when the fault has happened. */

/** SIGKILL to the postmaster in a member. */
export const killPostmaster = (member: string): Promise<string> =>
  docker("exec", member, "sh", "-c", 'kill -KILL "$(head -n 1 /var/lib/postgresql/data/postmaster.pid)"');

/** SIGKILL to the process of Patroni, not to what runs beside it. */
export const killPatroni = (member: string): Promise<string> =>
  docker("exec", member, "sh", "-c", "kill -KILL $(pgrep --full --oldest 'patroni /run/patroni')");

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
