import { printProgress } from "../../dynamic/progress";
import { permanent, waitUntil } from "../../dynamic/wait-until";
import { type Due, notWhole, planRestart, waitsForRestart } from "./plan";
import type { PatroniRest } from "./rest";
import { type ClusterStatus, readStatus } from "./status";
import { switchover } from "./switchover";

export interface RestartOptions {
  /** Seconds that one member may take to stop, start and be healthy again. */
  readonly restartSeconds: number;
  /** Why waiting for healthy members is pointless; undefined if they may still recover. Default: always wait. */
  readonly hopeless?: (status: ClusterStatus) => Promise<string | undefined>;
  /** Runs after a change was applied, and after each restart when all members are healthy again. Its error ends the operation. Default: nothing. */
  readonly holds?: () => Promise<void>;
}

/**
 * Restarts the members that are `due`, by default those with a pending restart: replicas first, the leader last.
 */
export async function rollingRestart(
  rest: PatroniRest,
  options: RestartOptions,
  due: Due = waitsForRestart,
): Promise<void> {
  // Parameters require two rounds at most. If restarts are still pending after that, they always will be.
  const limit = 3 * rest.members.length + 3;
  for (let count = 0; ; count += 1) {
    const step = await waitUntil(
      {
        what: "all members are healthy before the next restart",
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
        `members still have a pending restart after ${count} steps, because Patroni and PostgreSQL disagree about a parameter's value: see patronictl list`,
      );
    if (step.do === "switchover") {
      printProgress(`Patroni: switchover from ${step.from}, after its replicas have been restarted`);
      await switchover(rest, { from: step.from, deadlineSeconds: options.restartSeconds });
    } else {
      printProgress(`Patroni: restart ${step.member} (${step.why})`);
      const condition = {
        // A member that has become the leader meanwhile must hand over first.
        ...(step.member !== step.leader && { role: "replica" }),
        ...(due === waitsForRestart && { restart_pending: true }),
      };
      await restart(rest, step.member, condition, options);
    }
  }
}

/** Restarts every member, with or without a pending restart. */
export async function restartAll(rest: PatroniRest, options: RestartOptions): Promise<void> {
  const started = await waitUntil(
    {
      what: "all members are healthy before they are restarted",
      deadlineSeconds: options.restartSeconds,
    },
    async () => {
      const status = await readStatus(rest);
      const why = notWhole(status);
      if (why !== undefined) return { done: false, why };
      return { done: true, value: new Map(status.members.map(({ name, startedAt }) => [name, startedAt])) };
    },
  );
  // A switchover restarts the former leader.
  await rollingRestart(rest, options, (member) => member.startedAt === started.get(member.name));
}

/** Answers of Patroni if it did nothing because the restart was not needed or came too early. The next step is planned from the new state. */
const HARMLESS = ["restart conditions are not satisfied", "still starting"];

async function restart(
  rest: PatroniRest,
  member: string,
  condition: { readonly role?: string; readonly restart_pending?: boolean },
  { restartSeconds }: RestartOptions,
): Promise<void> {
  await waitUntil(
    { what: `${member} accepts the restart`, deadlineSeconds: restartSeconds, intervalMs: 700 },
    async () => {
      const sent = rest.send(member, {
        method: "POST",
        path: "/restart",
        // Patroni's default is primary_start_timeout; if that is 0, it would fail over in the middle of the leader's restart.
        body: { ...condition, timeout: restartSeconds },
        timeoutMs: (restartSeconds + 30) * 1000,
      });
      // Without an answer, the restart may have happened, so it is not requested again.
      const answer = await sent.catch(() => undefined);
      if (answer === undefined) return { done: true, value: undefined };
      const says = answer.text.trim();
      if (answer.status === 200 || HARMLESS.some((text) => says.includes(text)))
        return { done: true, value: undefined };
      // Patroni is busy with another action, such as starting PostgreSQL.
      if (answer.status === 503 && says.includes("already in progress")) return { done: false, why: says };
      throw permanent(`Patroni rejects the restart of ${member} with status ${answer.status}: ${says}`);
    },
  );
}
