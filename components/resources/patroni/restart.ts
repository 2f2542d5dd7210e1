import { printProgress } from "../../dynamic/progress";
import { permanent, waitUntil } from "../../dynamic/wait-until";
import { type Due, notWhole, planRestart, waitsForRestart } from "./plan";
import type { PatroniRest } from "./rest";
import { type ClusterStatus, readStatus } from "./status";
import { switchover } from "./switchover";

export interface RestartOptions {
  /** For one member to stop, start and be whole again, in seconds. */
  readonly restartSeconds: number;
  /** Why it does not help to wait until the members are whole again; undefined while it may. Default: it always may. */
  readonly hopeless?: (status: ClusterStatus) => Promise<string | undefined>;
  /** Runs when a change was taken, and when all members are whole again after each restart; what it throws ends it there. Default: nothing. */
  readonly holds?: () => Promise<void>;
}

/**
 * Restarts what runs with old values of settings that need it, or what else is `due`: replicas first, the leader last. Nothing when
 * nothing is.
 */
export async function rollingRestart(
  rest: PatroniRest,
  options: RestartOptions,
  due: Due = waitsForRestart,
): Promise<void> {
  // Two rounds are the most that settings can ask for; what is still pending after that never ends.
  const limit = 3 * rest.members.length + 3;
  for (let count = 0; ; count += 1) {
    const step = await waitUntil(
      {
        what: "the cluster is whole before the next restart",
        deadlineSeconds: options.restartSeconds,
        intervalMs: 700,
      },
      async () => {
        const status = await readStatus(rest);
        const next = planRestart(status, due);
        if (next.do !== "wait") return { done: true as const, value: { ...next, leader: status.leader } };
        const verdict = await options.hopeless?.(status);
        if (verdict !== undefined) throw permanent(verdict);
        return { done: false as const, why: next.why };
      },
    );
    if (count > 0) await options.holds?.();
    if (step.do === "done") return;
    if (count >= limit)
      throw new Error(
        `members still have a pending restart after ${count} steps: Patroni and PostgreSQL disagree`,
      );
    if (step.do === "switchover") {
      printProgress(`Patroni: switchover from ${step.from}, whose replicas have restarted`);
      await switchover(rest, { from: step.from, deadlineSeconds: options.restartSeconds });
    } else {
      printProgress(`Patroni: restart ${step.member} (${step.why})`);
      const condition = {
        // One that has become the leader meanwhile hands over first.
        ...(step.member !== step.leader && { role: "replica" }),
        ...(due === waitsForRestart && { restart_pending: true }),
      };
      await restart(rest, step.member, condition, options);
    }
  }
}

/** Restarts every member, whatever it waits for. */
export async function restartAll(rest: PatroniRest, options: RestartOptions): Promise<void> {
  const started = await waitUntil(
    {
      what: "the cluster is whole before its members are restarted",
      deadlineSeconds: options.restartSeconds,
    },
    async () => {
      const status = await readStatus(rest);
      const why = notWhole(status);
      if (why !== undefined) return { done: false, why };
      return { done: true, value: new Map(status.members.map(({ name, startedAt }) => [name, startedAt])) };
    },
  );
  // A leader that hands over is restarted by that.
  await rollingRestart(rest, options, (member) => member.startedAt === started.get(member.name));
}

/** What Patroni says when it has done nothing, since it was not needed or not the time; whoever plans the next step looks again. */
const HARMLESS = ["restart conditions are not satisfied", "still starting"];

async function restart(
  rest: PatroniRest,
  member: string,
  condition: { readonly role?: string; readonly restart_pending?: boolean },
  { restartSeconds }: RestartOptions,
): Promise<void> {
  await waitUntil(
    { what: `${member} takes the restart`, deadlineSeconds: restartSeconds, intervalMs: 700 },
    async () => {
      const sent = rest.send(member, {
        method: "POST",
        path: "/restart",
        // Without a timeout Patroni takes primary_start_timeout, and with that 0 it would fail over in the middle of the leader's restart.
        body: { ...condition, timeout: restartSeconds },
        timeoutMs: (restartSeconds + 30) * 1000,
      });
      // Without an answer it may have been done, and is not asked for twice.
      const answer = await sent.catch(() => undefined);
      if (answer === undefined) return { done: true, value: undefined };
      const says = answer.text.trim();
      if (answer.status === 200 || HARMLESS.some((text) => says.includes(text)))
        return { done: true, value: undefined };
      // It does something else to PostgreSQL at this moment, such as to start it.
      if (answer.status === 503 && says.includes("already in progress")) return { done: false, why: says };
      throw permanent(`restart of ${member}: ${answer.status} ${says}`);
    },
  );
}
